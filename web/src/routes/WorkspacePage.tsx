import { useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { canRead } from "../api/roles";
import { workspaceQuery } from "../api/workspaces";
import { Notice } from "../ui/Notice";

/** The pages of a workspace, for members who may read it. */
export function WorkspacePage() {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  if (canRead(workspace.role)) return <Outlet />;
  return (
    <Notice icon="lock" fullPage title="Your role cannot read the logs">
      <p>
        Your role in {workspace.name} is {workspace.role}, which can send events but not read them. An admin
        of the workspace can change your role.
      </p>
    </Notice>
  );
}
