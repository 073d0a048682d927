import { Link } from "@tanstack/react-router";
import { canAppend } from "../api/roles";
import type { LogEvent, LogName, Workspace } from "../api/types";
import { Button } from "../ui/Button";
import { CodeBlock } from "../ui/CodeBlock";
import { Notice } from "../ui/Notice";
import type { LogDefinition } from "./definition";

export function NothingMatches({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  return (
    <Notice
      icon="search"
      title={filtered ? "No events match" : "No events in this time range"}
      actions={
        <Button icon={filtered ? "close" : "calendar"} onPress={onClear}>
          {filtered ? "Clear filters" : "Show all time"}
        </Button>
      }
    >
      <p>
        {filtered
          ? "No event in this log matches the search, the filters and the time range."
          : "This log has events from other times."}
      </p>
    </Notice>
  );
}

interface EmptyLogProps<L extends LogName, E extends LogEvent, M> {
  log: Pick<LogDefinition<L, E, M>, "name" | "example">;
  workspace: Workspace;
}

export function EmptyLog<L extends LogName, E extends LogEvent, M>({
  log,
  workspace,
}: EmptyLogProps<L, E, M>) {
  if (!log.example) {
    return (
      <Notice icon="inbox" title="No events yet">
        <p>Logbook records here who signed in to it, what they read and what they changed.</p>
      </Notice>
    );
  }
  // The command below is of no use to somebody who may not send events.
  if (!canAppend(workspace.role)) {
    return (
      <Notice icon="inbox" title="No events yet">
        <p>No events have been sent to this log of {workspace.name}.</p>
      </Notice>
    );
  }
  const body = JSON.stringify([log.example]).replaceAll("'", "'\\''");
  const curl = [
    `curl ${location.origin}/api/v1/workspaces/${workspace.slug}/logs/${log.name} \\`,
    `  -H "Authorization: Bearer $KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");
  return (
    <Notice icon="inbox" title="No events yet">
      <p>
        <Link to="/w/$slug/settings/sources" params={{ slug: workspace.slug }}>
          Make a source
        </Link>
        , and send the first event with its key:
      </p>
      <CodeBlock text={curl} label="command" />
    </Notice>
  );
}
