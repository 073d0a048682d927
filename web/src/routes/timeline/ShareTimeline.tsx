import { canExport } from "../../api/roles";
import type { Workspace } from "../../api/types";
import { ExportItems, ExportNotice, exportStatus, useExporting } from "../../logs/Exporting";
import { IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Menu, MenuGroup, MenuItem } from "../../ui/Menu";
import { useCopy } from "../../ui/use-copy";
import type { TimelineSearch } from "./timeline-search";

interface ShareTimelineProps {
  workspace: Workspace;
  /** The timeline that is exported, without what is open. */
  question: Omit<TimelineSearch, "event">;
  title?: string;
}

/** Takes a page with a timeline along: as a link, or its events as a file. */
export function ShareTimeline({ workspace, question, title }: ShareTimelineProps) {
  const { copied, copy } = useCopy();
  const exporting = useExporting(workspace.slug, "timeline", () => question);
  const status = exportStatus(exporting);
  return (
    <>
      <Menu
        label="Share"
        end
        trigger={<IconButton variant="secondary" icon={copied ? "check" : "link"} label="Share this view" />}
      >
        <MenuGroup title="Copy">
          <MenuItem onAction={() => copy(location.href)}>Link to this view</MenuItem>
        </MenuGroup>
        {canExport(workspace.role) && <ExportItems exporting={exporting} {...(title && { title })} />}
      </Menu>
      <span className={cx(status !== "Exporting…" && "visually-hidden")} role="status">
        {status || (copied ? "Copied" : "")}
      </span>
      <ExportNotice exporting={exporting} />
    </>
  );
}
