import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { workspaceQuery } from "../../api/workspaces";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { useTitle } from "../use-log-page";
import { useMe } from "../use-me";

/** What all tabs of the settings use. */
export function useSettings(tab: string) {
  const { slug } = useParams({ from: "/app/w/$slug" });
  const me = useMe();
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  useTitle(tab, workspace.name);
  return { slug, me, workspace, clock };
}
