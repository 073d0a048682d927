import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { describeError } from "../../api/errors";
import { exportsQuery, removeExport } from "../../api/export";
import { queryKeys } from "../../api/query-keys";
import { canExport } from "../../api/roles";
import type { BackgroundExport, Workspace } from "../../api/types";
import { workspaceQuery } from "../../api/workspaces";
import { useExportStarts } from "../../logs/use-export-starts";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { Notice } from "../../ui/Notice";
import { SkeletonLine } from "../../ui/Skeleton";
import { ConfirmDialog } from "../settings/ConfirmDialog";
import { useTitle } from "../use-log-page";
import { exportTitle } from "./export-text";
import { ExportRow } from "./ExportRow";
import { StartRow } from "./StartRow";
import styles from "./ExportsPage.module.css";

/** The exports in the background: how far they are, and their files. */
export function ExportsPage() {
  const { slug } = useParams({ from: "/app/w/$slug/exports" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  useTitle("Exports", workspace.name);
  if (canExport(workspace.role)) return <Exports workspace={workspace} />;
  return (
    <Notice icon="lock" fullPage title="Your role cannot export the logs">
      <p>
        Your role in {workspace.name} is {workspace.role}. Auditors and admins export; an admin of the
        workspace can change your role.
      </p>
    </Notice>
  );
}

function Exports({ workspace }: { workspace: Workspace }) {
  const { slug } = workspace;
  const clock = useWorkspaceClock(workspace);
  const queries = useQueryClient();
  const list = useQuery(exportsQuery(slug));
  const [removing, setRemoving] = useState<BackgroundExport | null>(null);
  const { starts, forget, again } = useExportStarts(slug);
  const unfinished = starts.filter(({ status }) => status !== "success").toReversed();
  const running = list.data?.filter(({ state }) => state === "running").length ?? 0;
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 className={styles.title}>Exports</h1>
        <p className={styles.sub}>
          In the background, each kept for a day for all auditors and admins · times in {clock.zone}
        </p>
      </div>
      <p className="visually-hidden" role="status">
        {list.data && (running > 0 ? `${running} running` : "None running")}
      </p>
      {list.data ? (
        list.data.length + unfinished.length === 0 ? (
          <Notice icon="inbox" title="No exports">
            <p>
              Start one from the Share menu of a log or a timeline, with what is shown there as its filters.
            </p>
          </Notice>
        ) : (
          <ul className={styles.list} aria-label="Exports">
            {unfinished.map((start) => (
              <StartRow
                key={start.id}
                start={start}
                clock={clock}
                onAgain={() => again(start)}
                onForget={() => forget(start.id)}
              />
            ))}
            {list.data.map((one) => (
              <ExportRow
                key={one.id}
                export={one}
                workspace={workspace}
                clock={clock}
                onRemove={() => setRemoving(one)}
              />
            ))}
          </ul>
        )
      ) : list.error ? (
        <ErrorNotice {...describeError(list.error)} onRetry={() => void list.refetch()} />
      ) : (
        <div className={styles.list} aria-label="Loading" role="group">
          {[62, 48, 56].map((width) => (
            <div key={width} className={styles.skeleton}>
              <SkeletonLine width={`${width}%`} />
            </div>
          ))}
        </div>
      )}
      {list.data && list.error && (
        <p role="alert" className={styles.error}>
          Could not ask how far the exports are: {list.error.message}
        </p>
      )}
      {removing && (
        <ConfirmDialog
          title={removing.state === "running" ? "Stop the export" : "Remove the export"}
          action={removing.state === "running" ? "Stop and remove" : "Remove"}
          onConfirm={async () => {
            await removeExport(slug, removing.id);
            await queries.invalidateQueries({ queryKey: queryKeys.exports(slug) });
          }}
          onClose={() => setRemoving(null)}
        >
          {exportTitle(removing)}: the file is gone for everybody. This cannot be undone, and is in the
          activity log.
        </ConfirmDialog>
      )}
    </div>
  );
}
