import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { describeError } from "../../../api/errors";
import { queryKeys } from "../../../api/query-keys";
import { discardRejected, rejectedQuery, replayRejected, saveRejected } from "../../../api/sources";
import type { RejectedRecord, Source } from "../../../api/types";
import { Button } from "../../../ui/Button";
import { ErrorNotice } from "../../../ui/ErrorNotice";
import { SkeletonLine } from "../../../ui/Skeleton";
import { type Clock, formatCount } from "../../../ui/time/format";
import { ConfirmDialog } from "../ConfirmDialog";
import { DateText } from "../DateText";
import settings from "../settings.module.css";
import { SentRecord } from "./SentRecord";
import styles from "./sources.module.css";

interface QuarantineProps {
  slug: string;
  source: Source;
  clock: Clock;
  /** Records may have secrets: not everybody who reads the logs reads them. */
  reads: boolean;
  manages: boolean;
  /** What became of those that were replayed last, which is said even when none is left. */
  replayed: string;
  onReplayed: (text: string) => void;
}

/** What a source sent and could not be read: why, byte for byte, to be replayed or discarded. */
export function Quarantine({ source, reads, ...rest }: QuarantineProps) {
  return (
    <section className={styles.parts} aria-labelledby="quarantine">
      <div>
        <h3 id="quarantine" className={settings.heading}>
          Quarantine
        </h3>
        <p className={settings.sub}>
          {formatCount(source.rejected)} {source.rejected === 1 ? "record" : "records"} that could not be
          read, oldest first. Mend the mapping, then replay them: they become events with the time at which
          they first came.
        </p>
      </div>
      {reads ? (
        <Records {...rest} source={source.name} />
      ) : (
        <p className={settings.none}>Auditors and admins see the records: their secrets are not masked.</p>
      )}
    </section>
  );
}

function Records({
  slug,
  source,
  clock,
  manages,
  replayed,
  onReplayed,
}: Omit<QuarantineProps, "source" | "reads"> & { source: string }) {
  const queries = useQueryClient();
  const pages = useInfiniteQuery(rejectedQuery(slug, source));
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [discarding, setDiscarding] = useState(false);
  const again = async () => {
    setChosen(new Set());
    await queries.invalidateQueries({ queryKey: queryKeys.source(slug, source) });
  };
  const replay = useMutation({
    mutationFn: () => replayRejected(slug, source, chosen.size > 0 ? [...chosen] : null),
    onMutate: () => onReplayed(""),
    onSuccess: async (outcome) => {
      onReplayed(replayText(outcome));
      await again();
    },
  });
  const save = useMutation({ mutationFn: () => saveRejected(slug, source) });
  if (pages.error && !pages.data) {
    return <ErrorNotice {...describeError(pages.error)} onRetry={() => void pages.refetch()} />;
  }
  if (!pages.data) return <SkeletonLine width="60%" />;
  const records = pages.data.pages.flatMap(({ data }) => data);
  const toggle = (id: number) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div className={styles.tools}>
        {manages && (
          <>
            <Button isDisabled={replay.isPending} onPress={() => replay.mutate()}>
              {replay.isPending ? "Replaying…" : chosen.size > 0 ? `Replay ${chosen.size}` : "Replay all"}
            </Button>
            <Button variant="plain" isDisabled={chosen.size === 0} onPress={() => setDiscarding(true)}>
              Discard{chosen.size > 0 && ` ${chosen.size}`}
            </Button>
          </>
        )}
        <Button variant="plain" isDisabled={save.isPending} onPress={() => save.mutate()}>
          {save.isPending ? "Exporting…" : "Export all"}
        </Button>
        <span role="status" className={settings.sub}>
          {replayed}
          {replay.error?.message}
          {save.error && save.error.name !== "AbortError" && save.error.message}
        </span>
      </div>
      <ul className={settings.list}>
        {records.map((record) => (
          <li key={record.id} className={styles.record}>
            {manages ? (
              <input
                type="checkbox"
                aria-label={`Choose record ${record.id}`}
                checked={chosen.has(record.id)}
                onChange={() => toggle(record.id)}
              />
            ) : (
              <span />
            )}
            <Record slug={slug} source={source} record={record} clock={clock} manages={manages} />
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <div>
          <Button isDisabled={pages.isFetchingNextPage} onPress={() => void pages.fetchNextPage()}>
            More
          </Button>
        </div>
      )}
      {discarding && (
        <ConfirmDialog
          title="Discard records"
          action={`Discard ${chosen.size}`}
          onConfirm={async () => {
            await discardRejected(slug, source, [...chosen]);
            onReplayed("");
            await again();
          }}
          onClose={() => setDiscarding(false)}
        >
          {chosen.size === 1 ? "The record is" : "The records are"} gone then, and no event is made of{" "}
          {chosen.size === 1 ? "it" : "them"}. Who discarded how many is on record.
        </ConfirmDialog>
      )}
    </>
  );
}

function replayText({
  replayed,
  duplicates,
  skipped,
  rejected,
  has_more,
}: Awaited<ReturnType<typeof replayRejected>>): string {
  const parts = [
    `${formatCount(replayed)} replayed`,
    duplicates > 0 && `${formatCount(duplicates)} known before`,
    skipped > 0 && `${formatCount(skipped)} skipped`,
    rejected > 0 && `${formatCount(rejected)} still cannot be read`,
    has_more && "more are waiting: replay again",
  ];
  return parts.filter(Boolean).join(", ");
}

interface RecordProps {
  slug: string;
  source: string;
  record: RejectedRecord;
  clock: Clock;
  manages: boolean;
}

function Record({ slug, source, record, clock, manages }: RecordProps) {
  return (
    <div className={styles.part}>
      <p>
        {record.pointer && (
          <>
            <code>{record.pointer.slice(1).replaceAll("/", ".")}</code>:{" "}
          </>
        )}
        {record.reason}
      </p>
      <p className={settings.sub}>
        Came <DateText at={record.received_at} clock={clock} withTime />, {formatCount(record.size)} bytes
        {manages && (
          <>
            {" · "}
            <Link
              to="/w/$slug/settings/sources/$source/mapping"
              params={{ slug, source }}
              search={{ rejected: record.id }}
            >
              Try it in the mapping
            </Link>
          </>
        )}
      </p>
      <SentRecord source={source} record={record} />
    </div>
  );
}
