import { useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { canRead } from "../api/roles";
import { workspaceQuery } from "../api/workspaces";
import { useExportStarts } from "../logs/use-export-starts";
import { Notice } from "../ui/Notice";

const ExportStarts = lazy(() => import("./exports/ExportStarts"));

/** The pages of a workspace, for members who may read it. */
export function WorkspacePage() {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const exporting = useExportStarts(slug).starts.length;
  if (canRead(workspace.role)) {
    return (
      <>
        <Outlet />
        <Suspense fallback={null}>{exporting > 0 && <ExportStarts key={slug} slug={slug} />}</Suspense>
      </>
    );
  }
  return (
    <Notice icon="lock" fullPage title="Your role cannot read the logs">
      <p>
        Your role in {workspace.name} is {workspace.role}, which can send events but not read them. An admin
        of the workspace can change your role.
      </p>
    </Notice>
  );
}
