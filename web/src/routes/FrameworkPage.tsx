import { frameworkLog } from "../framework/log";
import { LogView } from "../logs/LogView";
import { useLogPage } from "./use-log-page";

export function FrameworkPage() {
  return <LogView key={frameworkLog.name} log={frameworkLog} {...useLogPage("framework")} />;
}
