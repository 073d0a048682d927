import { useQuery } from "@tanstack/react-query";
import { describeError } from "../../api/errors";
import { diffQuery, type RecordName } from "../../api/records";
import type { RecordChange, RecordVersion } from "../../api/types";
import { Timestamp } from "../../logs/cells";
import { Button } from "../../ui/Button";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import { FieldName, FieldValue, isMasked, textOf } from "./FieldValue";
import { Gaps } from "./Gaps";
import styles from "./records.module.css";
import { wordDiff } from "./word-diff";

interface CompareViewProps {
  slug: string;
  record: RecordName;
  versions: readonly RecordVersion[];
  /** Events of the record; either may be the earlier one. */
  from: string;
  to: string;
  onStop: () => void;
}

export function CompareView({ slug, record, versions, from, to, onStop }: CompareViewProps) {
  const place = (id: string) => versions.findIndex((version) => version.id === id);
  // The newest is the first. One that is not loaded is older than those that are.
  const later = (id: string) => (place(id) === -1 ? versions.length : place(id));
  const [earlier, latest] = later(from) >= later(to) ? [from, to] : [to, from];
  const diff = useQuery(diffQuery(slug, record, earlier, latest));
  const { data } = diff;
  return (
    <section aria-labelledby="compare" aria-busy={diff.isPlaceholderData}>
      <div className={styles.sectionHead}>
        <h2 id="compare">
          {data ? `Version ${data.from.version} and version ${data.to.version}` : "Two versions"}
        </h2>
        {data && (
          <span className={styles.quiet}>
            <Timestamp at={data.from.at} /> – <Timestamp at={data.to.at} />
          </span>
        )}
        <Button icon="close" small onPress={onStop}>
          Stop comparing
        </Button>
      </div>
      {diff.error ? (
        <ErrorNotice {...describeError(diff.error)} onRetry={() => void diff.refetch()} />
      ) : !data ? (
        <SkeletonLine width="60%" />
      ) : (
        <>
          <Gaps gaps={data.gaps} count={data.gaps.length} />
          {data.changes.length === 0 ? (
            <p className={styles.none}>No field differs.</p>
          ) : (
            <ul className={styles.changes} aria-label="Differences">
              {data.changes.map((change) => (
                <li key={change.field} className={styles.change}>
                  <FieldName field={change.field} label={change.label} />
                  <Change change={change} />
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

function Change({ change }: { change: RecordChange }) {
  const { old, new: now, kind, old_label, new_label } = change;
  if (kind === "added") {
    return (
      <ins className={styles.new}>
        <span className="visually-hidden">added </span>
        <FieldValue value={now} label={new_label} />
      </ins>
    );
  }
  if (kind === "removed") {
    return (
      <del className={styles.old}>
        <span className="visually-hidden">removed </span>
        <FieldValue value={old} label={old_label} />
      </del>
    );
  }
  if (isMasked(old) || isMasked(now) || old_label || new_label) {
    return (
      <span className={styles.pair}>
        <del className={styles.old}>
          <span className="visually-hidden">was </span>
          <FieldValue value={old} label={old_label} />
        </del>
        <ins className={styles.new}>
          <span className="visually-hidden">now </span>
          <FieldValue value={now} label={new_label} />
        </ins>
      </span>
    );
  }
  return (
    <span className={styles.text}>
      {wordDiff(textOf(old), textOf(now)).map((piece, index) =>
        piece.in === "both" ? (
          <span key={index}>{piece.text}</span>
        ) : piece.in === "old" ? (
          <del key={index} className={styles.old}>
            {piece.text}
          </del>
        ) : (
          <ins key={index} className={styles.new}>
            {piece.text}
          </ins>
        ),
      )}
    </span>
  );
}
