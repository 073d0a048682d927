import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { describeError, entryErrors } from "../../api/errors";
import { canManage } from "../../api/roles";
import { changeMasking, maskingQuery } from "../../api/settings";
import type { Masking } from "../../api/types";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import forms from "../forms.module.css";
import { FieldNames } from "./FieldNames";
import styles from "./masking.module.css";
import { MaskingTrial } from "./MaskingTrial";
import settings from "./settings.module.css";
import { useSettings } from "./use-settings";

export function MaskingPage() {
  const { slug, workspace } = useSettings("Masking");
  const masking = useQuery(maskingQuery(slug));
  return (
    <section aria-labelledby="masking">
      <div className={settings.head}>
        <div>
          <h2 id="masking" className={settings.heading}>
            Masking
          </h2>
          <p className={settings.lead}>
            Logbook masks what looks like a secret before it stores an event; here you name fields that it
            masks or keeps in new events of this workspace.
          </p>
        </div>
      </div>
      {masking.error ? (
        <ErrorNotice {...describeError(masking.error)} onRetry={() => void masking.refetch()} />
      ) : !masking.data ? (
        <SkeletonLine width="40%" />
      ) : (
        <Lists slug={slug} stored={masking.data} readOnly={!canManage(workspace.role)} />
      )}
    </section>
  );
}

interface ListsProps {
  slug: string;
  stored: Masking;
  readOnly: boolean;
}

function Lists({ slug, stored, readOnly }: ListsProps) {
  const queries = useQueryClient();
  // Null where nothing is edited: then what somebody else saved shows.
  const [edited, setEdited] = useState<Masking | null>(null);
  const draft = edited ?? stored;
  const isChanged = JSON.stringify(draft) !== JSON.stringify(stored);
  const save = useMutation({
    mutationFn: () => changeMasking(slug, draft),
    onSuccess: (saved) => {
      queries.setQueryData(maskingQuery(slug).queryKey, saved);
      setEdited(null);
    },
  });
  const change = (list: keyof Masking, names: string[]) => {
    setEdited({ ...draft, [list]: names });
    save.reset();
  };
  const errors = { mask: entryErrors(save.error, "mask"), keep: entryErrors(save.error, "keep") };
  const isAtName = errors.mask.size + errors.keep.size > 0;
  return (
    <div className={styles.page}>
      {save.error && !isAtName && (
        <p className={forms.error} role="alert">
          {save.error.message}
        </p>
      )}
      <FieldNames
        title="Mask"
        lead="Their whole value is masked, at any depth. A path such as address.street means one place."
        none="No fields: only what looks like a secret is masked"
        names={draft.mask}
        errors={errors.mask}
        readOnly={readOnly}
        onChange={(names) => change("mask", names)}
      />
      <FieldNames
        title="Keep"
        lead="Fields that only sound like secrets. Keys, private keys, bearer tokens and passwords in URLs are masked even here."
        none="No fields: Logbook decides by name and value"
        names={draft.keep}
        errors={errors.keep}
        readOnly={readOnly}
        onChange={(names) => change("keep", names)}
      />
      {readOnly ? (
        <p className={settings.sub}>Only admins can change these lists.</p>
      ) : (
        <>
          <div className={settings.save}>
            <Button variant="primary" isDisabled={save.isPending || !isChanged} onPress={() => save.mutate()}>
              {save.isPending ? "Saving…" : "Save"}
            </Button>
            <span role="status" className={save.isSuccess ? settings.saved : settings.sub}>
              {save.isSuccess ? "Saved" : isChanged && !save.isPending ? "Not saved yet" : ""}
            </span>
          </div>
          <MaskingTrial slug={slug} masking={draft} />
        </>
      )}
    </div>
  );
}
