import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { saveExportFile, startExport } from "../../api/export";
import { queryKeys } from "../../api/query-keys";
import { canManage } from "../../api/roles";
import type { BackgroundExport, Workspace } from "../../api/types";
import { LOG_PATHS } from "../../logs/paths";
import { Button } from "../../ui/Button";
import { formatBytes } from "../../ui/format-bytes";
import { Status } from "../../ui/Status";
import { type Clock, formatCount } from "../../ui/time/format";
import { DateText } from "../settings/DateText";
import { canStartAgain, exportedOf, exportTitle, filtersText, reasonText } from "./export-text";
import styles from "./ExportsPage.module.css";

interface ExportRowProps {
  export: BackgroundExport;
  workspace: Workspace;
  clock: Clock;
  onRemove: () => void;
}

export function ExportRow({ export: one, workspace, clock, onRemove }: ExportRowProps) {
  const { slug } = workspace;
  const queries = useQueryClient();
  const exported = exportedOf(one);
  const title = exportTitle(one);
  const saving = useMutation({ mutationFn: () => saveExportFile(slug, one) });
  const again = useMutation({
    mutationFn: () => startExport(slug, one),
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.exports(slug) }),
  });
  const error = again.error ?? (saving.error?.name === "AbortError" ? null : saving.error);
  return (
    <li className={styles.row} aria-label={title}>
      <div className={styles.what}>
        <Link
          to={exported.log === "timeline" ? "/w/$slug/timeline" : LOG_PATHS[exported.log]}
          params={{ slug }}
          search={exported.search}
          className={styles.name}
        >
          {title}
        </Link>
        <span className={styles.sub}>{filtersText(exported, clock)}</span>
        <span className={styles.sub}>
          {one.own ? "You" : one.owner_name}, <DateText at={one.created_at} clock={clock} withTime />
        </span>
      </div>
      <div className={styles.state}>
        <State export={one} clock={clock} />
      </div>
      <div className={styles.actions}>
        {one.state === "done" && (
          <Button
            small
            aria-label={`Download ${title}`}
            isDisabled={saving.isPending}
            onPress={() => saving.mutate()}
          >
            {saving.isPending ? "Downloading…" : "Download"}
          </Button>
        )}
        {one.state === "failed" && canStartAgain(one) && (
          <Button
            small
            aria-label={`Start again: ${title}`}
            isDisabled={again.isPending}
            onPress={() => again.mutate()}
          >
            Start again
          </Button>
        )}
        {(one.own || canManage(workspace.role)) && (
          <Button
            small
            variant="plain"
            aria-label={`${one.state === "running" ? "Stop" : "Remove"} ${title}`}
            onPress={onRemove}
          >
            {one.state === "running" ? "Stop" : "Remove"}
          </Button>
        )}
      </div>
      {error && (
        <p role="alert" className={styles.error}>
          {reasonText(error.message)}
        </p>
      )}
    </li>
  );
}

function State({
  export: { state, events, total, bytes, reason, expires_at },
  clock,
}: Pick<ExportRowProps, "export" | "clock">) {
  if (state === "running") {
    const text = total === null ? eventsText(events) : `${formatCount(events)} of ${eventsText(total)}`;
    return (
      <>
        <Progress events={events} total={total} text={text} />
        <span className={styles.sub}>{text}</span>
      </>
    );
  }
  if (state === "failed") {
    return (
      <>
        <Status tone="bad" shape="cross">
          Failed
        </Status>
        {reason && <span className={styles.sub}>{reasonText(reason)}</span>}
      </>
    );
  }
  return (
    <>
      <span>
        {eventsText(events)}, {formatBytes(bytes)}
      </span>
      {expires_at && (
        <span className={styles.sub}>
          Kept until <DateText at={expires_at} clock={clock} withTime />
        </span>
      )}
    </>
  );
}

function eventsText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "event" : "events"}`;
}

/** Without a total nobody knows how much is left: the bar only moves. */
function Progress({ events, total, text }: { events: number; total: number | null; text: string }) {
  const percent = total ? Math.min(100, Math.floor((events / total) * 100)) : null;
  return (
    <div
      role="progressbar"
      aria-label="Events written"
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent !== null && { "aria-valuenow": percent })}
      aria-valuetext={text}
      className={styles.progress}
    >
      <span
        className={percent === null ? styles.unknown : styles.bar}
        style={percent === null ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}
