import { applicationLog } from "../application/log";
import { LogView } from "../logs/LogView";
import { useLogPage } from "./use-log-page";

export function ApplicationPage() {
  return <LogView key={applicationLog.name} log={applicationLog} {...useLogPage("application")} />;
}
