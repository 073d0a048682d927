import type { LogEvent, LogName } from "../api/types";
import { IconButton } from "../ui/Button";
import { Menu, MenuGroup, MenuItem } from "../ui/Menu";
import { useCopy } from "../ui/use-copy";
import { useLog } from "./context";
import { curlOfEvent, tableOf } from "./copy";

interface EventMenuProps {
  log: LogName;
  event: LogEvent;
  headline: string;
}

/** Takes an open event along. */
export function EventMenu({ log, event, headline }: EventMenuProps) {
  const { workspace } = useLog();
  const { copied, copy } = useCopy();
  return (
    <>
      <Menu
        label="Copy"
        end
        trigger={<IconButton icon={copied ? "check" : "copy"} label="Copy this event" />}
      >
        <MenuGroup title="Copy">
          <MenuItem onAction={() => copy(location.href)}>Link to this event</MenuItem>
          <MenuItem onAction={() => copy(JSON.stringify(event, null, 2))}>As JSON</MenuItem>
          <MenuItem onAction={() => copy(tableOf(event, headline))}>As a table for a ticket</MenuItem>
          <MenuItem onAction={() => copy(curlOfEvent(workspace, log, event.id))}>As curl</MenuItem>
        </MenuGroup>
      </Menu>
      <span className="visually-hidden" role="status">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}
