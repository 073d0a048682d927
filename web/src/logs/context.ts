import { createContext, use } from "react";
import type { Clock } from "../ui/time/format";
import type { LogSearch } from "./search";

/** What a cell or a field needs beyond its event. In a context, so that columns can stay module constants. */
export interface LogContextValue {
  workspace: string;
  clock: Clock;
  search: LogSearch;
  /** Undefined where a value is only shown, as on the overview. */
  filterBy?: (param: string, value: string) => void;
  /** The label of a filter's parameter: "Filter by role". */
  filterLabel: (param: string) => string;
}

export const LogContext = createContext<LogContextValue | null>(null);

export function useLog(): LogContextValue {
  const value = use(LogContext);
  if (!value) throw new Error("useLog is called outside a log");
  return value;
}
