import { canExport } from "../api/roles";
import type { LogName, Workspace } from "../api/types";
import { IconButton } from "../ui/Button";
import { Menu, MenuGroup, MenuItem } from "../ui/Menu";
import { cx } from "../ui/cx";
import { useCopy } from "../ui/use-copy";
import { curlOfList, withFixedTimes } from "./copy";
import { ExportItems, ExportNotice, exportStatus, useExporting } from "./Exporting";
import type { LogSearch } from "./search";
import { filterQuery } from "./use-log-data";

interface ShareMenuProps {
  log: LogName;
  workspace: Workspace;
  search: LogSearch;
  now: number;
  /** The address of the page with another search. */
  hrefOf: (search: LogSearch) => string;
}

/** Takes the view along: as a link, or as the request that it makes. */
export function ShareMenu({ log, workspace, search, now, hrefOf }: ShareMenuProps) {
  const { copied, copy } = useCopy();
  const exporting = useExporting(workspace.slug, log, () => filterQuery(withFixedTimes(search, now), now));
  const status = exportStatus(exporting);
  const link = (wanted: LogSearch) => copy(location.origin + hrefOf(wanted));
  return (
    <>
      <Menu
        label="Share"
        end
        trigger={<IconButton variant="secondary" icon={copied ? "check" : "link"} label="Share this view" />}
      >
        <MenuGroup title="Copy">
          <MenuItem onAction={() => link(search)}>Link to this view</MenuItem>
          <MenuItem hint="shows the same later" onAction={() => link(withFixedTimes(search, now))}>
            Link with fixed times
          </MenuItem>
          <MenuItem onAction={() => copy(curlOfList(workspace.slug, log, search, now))}>As curl</MenuItem>
        </MenuGroup>
        {canExport(workspace.role) && <ExportItems exporting={exporting} />}
      </Menu>
      <span className={cx(status !== "Exporting…" && "visually-hidden")} role="status">
        {status || (copied ? "Copied" : "")}
      </span>
      <ExportNotice exporting={exporting} />
    </>
  );
}
