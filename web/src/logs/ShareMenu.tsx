import { useMutation } from "@tanstack/react-query";
import { EXPORT_FORMATS, type ExportFormat, saveExport } from "../api/export";
import { canExport } from "../api/roles";
import type { LogName, Workspace } from "../api/types";
import { IconButton } from "../ui/Button";
import { Menu, MenuGroup, MenuItem } from "../ui/Menu";
import { cx } from "../ui/cx";
import { Sheet } from "../ui/Sheet";
import { useCopy } from "../ui/use-copy";
import { curlOfList, withFixedTimes } from "./copy";
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
  const exporting = useMutation({
    mutationFn: (format: ExportFormat) =>
      saveExport(workspace.slug, log, format, filterQuery(withFixedTimes(search, now), now)),
  });
  const cancelled = exporting.error?.name === "AbortError";
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
        {canExport(workspace.role) && (
          <MenuGroup title="Export all events that match">
            {EXPORT_FORMATS.map((format) => (
              <MenuItem key={format} onAction={() => exporting.mutate(format)}>
                {`As ${format.toUpperCase()}`}
              </MenuItem>
            ))}
          </MenuGroup>
        )}
      </Menu>
      <span className={cx(!exporting.isPending && "visually-hidden")} role="status">
        {exporting.isPending ? "Exporting…" : exporting.isSuccess ? "Exported" : copied ? "Copied" : ""}
      </span>
      {exporting.error && !cancelled && (
        <Sheet title="The export failed" open centred onOpenChange={() => exporting.reset()}>
          <p role="alert">{exporting.error.message}</p>
        </Sheet>
      )}
    </>
  );
}
