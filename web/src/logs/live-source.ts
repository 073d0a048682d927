import type { ListQuery, LogEvent, LogName } from "../api/types";
import type { LogDefinition } from "./definition";
import { type LogSearch, questionOf } from "./search";
import type { LiveSource } from "./use-live";
import { filterQuery } from "./use-log-data";

/** The new events of a log that match what its page asks for. */
export function liveSource<L extends LogName, E extends LogEvent, M>(
  log: LogDefinition<L, E, M>,
  workspace: string,
  search: LogSearch,
): LiveSource<E, L> {
  const asked = () => filterQuery<L>(search, Date.now());
  return {
    question: [workspace, log.name, questionOf(search)].join(" "),
    tailed: () => ({ workspace, log: log.name, query: asked() }),
    newest: (limit, signal) =>
      log.api.list(workspace, { ...asked(), order: "desc", limit } as ListQuery<L>, signal),
    read: (event) => event as E,
  };
}
