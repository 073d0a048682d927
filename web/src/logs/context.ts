import { createContext, use } from "react";
import type { Clock } from "../ui/time/format";
import type { LogSearch } from "./search";

/** What a cell needs besides its event. It is a context, so that columns can be module constants. */
export interface LogContextValue {
  workspace: string;
  clock: Clock;
  search: LogSearch;
  /** `not_<param>` excludes the value. Undefined where values are not clickable, as on the overview. */
  filterBy?: (param: string, value: string) => void;
  /** Filters by this value alone. */
  onlyBy?: (param: string, value: string) => void;
  /** The label of a filter's parameter: "Filter by role". */
  filterLabel: (param: string) => string;
}

export const LogContext = createContext<LogContextValue | null>(null);

export function useLog(): LogContextValue {
  const value = use(LogContext);
  if (!value) throw new Error("useLog must be used within a LogContext");
  return value;
}
