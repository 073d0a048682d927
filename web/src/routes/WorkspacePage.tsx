import { useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { canRead } from "../api/roles";
import { workspaceQuery } from "../api/workspaces";
import { Notice } from "../ui/Notice";

/** Everything of a workspace, for those who may see it. */
export function WorkspacePage() {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  if (canRead(workspace.role)) return <Outlet />;
  return (
    <Notice icon="lock" fullPage title="You append here, and do not read">
      <p>
        Your role in {workspace.name} is {workspace.role}: it sends events to the logs and does not show them.
        An admin of the workspace can give you another.
      </p>
    </Notice>
  );
}
