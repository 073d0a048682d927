import type { RecordVersion } from "../../api/types";
import { actorText, Timestamp } from "../../logs/cells";
import { changesSummary } from "../../logs/Changes";
import { humanize, statusMark } from "../../logs/definition";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { SkeletonLine } from "../../ui/Skeleton";
import { Status } from "../../ui/Status";
import styles from "./records.module.css";

interface VersionListProps {
  versions: readonly RecordVersion[];
  /** The event whose version is shown, and the one with which it is compared. */
  chosen: string | undefined;
  from: string | undefined;
  isPending: boolean;
  hasMore: boolean;
  isLoading: boolean;
  onMore: () => void;
  onChoose: (id: string) => void;
  onCompare: (id: string) => void;
}

export function VersionList(props: VersionListProps) {
  const { versions, chosen, from, isPending, hasMore, isLoading, onMore, onChoose, onCompare } = props;
  return (
    <nav className={styles.versions} aria-label="Versions">
      {isPending && <SkeletonLine width="80%" />}
      <ol className={styles.versionItems}>
        {versions.map((version) => (
          <Version
            key={version.id}
            version={version}
            isChosen={version.id === chosen}
            isFrom={version.id === from}
            onChoose={onChoose}
            onCompare={onCompare}
          />
        ))}
      </ol>
      {hasMore && (
        <Button isDisabled={isLoading} onPress={onMore}>
          {isLoading ? "Loading…" : "Older versions"}
        </Button>
      )}
    </nav>
  );
}

interface VersionProps {
  version: RecordVersion;
  isChosen: boolean;
  isFrom: boolean;
  onChoose: (id: string) => void;
  onCompare: (id: string) => void;
}

function Version({ version, isChosen, isFrom, onChoose, onCompare }: VersionProps) {
  const { id, action, status, actor, on_behalf_of, changes, occurred_at } = version;
  const number = version.version === null ? "" : `${version.version}`;
  return (
    <li className={cx(styles.version, isChosen && styles.chosen)}>
      <button
        type="button"
        className={styles.versionButton}
        aria-current={isChosen ? "true" : undefined}
        onClick={() => onChoose(id)}
      >
        <span className={styles.versionLine}>
          <span className={styles.number}>{number}</span>
          <span className={styles.action}>{humanize(action)}</span>
          {status !== "success" && <Status {...statusMark(status)}>{humanize(status)}</Status>}
          <Timestamp at={occurred_at} />
        </span>
        <span className={cx(styles.versionLine, styles.quiet)}>
          <span className={styles.cut}>{actorText(actor, on_behalf_of)}</span>
          <span className={styles.cut}>{changesSummary(changes)}</span>
        </span>
      </button>
      {!isChosen && (
        <button
          type="button"
          className={styles.compare}
          aria-pressed={isFrom}
          aria-label={`Compare with version ${number}`}
          onClick={() => onCompare(id)}
        >
          Compare
        </button>
      )}
    </li>
  );
}
