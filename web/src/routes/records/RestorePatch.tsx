import { useMutation } from "@tanstack/react-query";
import { type RecordName, restorePatch } from "../../api/records";
import type { RecordRestore } from "../../api/types";
import { Button } from "../../ui/Button";
import styles from "./records.module.css";

interface RestorePatchProps {
  slug: string;
  record: RecordName;
  /** The event after which the record was as it should be again. */
  to: string;
}

/** Copies what an app has to write to get the record back to this version. Logbook itself writes nothing. */
export function RestorePatch({ slug, record, to }: RestorePatchProps) {
  const copy = useMutation({
    mutationFn: async () => {
      const restore = await restorePatch(slug, record, to);
      await navigator.clipboard.writeText(JSON.stringify(restore.patch, null, 2));
      return restore;
    },
  });
  return (
    <span className={styles.restore}>
      <Button small icon="copy" isDisabled={copy.isPending} onPress={() => copy.mutate()}>
        Copy restore patch
      </Button>
      <span role="status" className={copy.error ? styles.bad : styles.quiet}>
        {copy.error ? copy.error.message : copy.data ? summary(copy.data) : ""}
      </span>
    </span>
  );
}

const REASONS: Record<string, string> = {
  masked: "masked",
  unknown: "not in the log",
  null_inside: "null inside",
};

function summary({ patch, left_out }: RecordRestore): string {
  const count = Object.keys(patch).length;
  const copied =
    count === 0 ? "Copied: no field differs" : `Copied: ${count} ${count === 1 ? "field" : "fields"}`;
  const without = left_out.map(({ field, reason }) => `${field} (${REASONS[reason] ?? reason})`);
  return without.length === 0 ? copied : `${copied}, without ${without.join(", ")}`;
}
