import { accessLog } from "../access/log";
import { LogView } from "../logs/LogView";
import { useLogPage } from "./use-log-page";

export function AccessPage() {
  return <LogView key={accessLog.name} log={accessLog} {...useLogPage("access")} />;
}
