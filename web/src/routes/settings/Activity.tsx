import { activityLog } from "../../activity/log";
import { LogView } from "../../logs/LogView";
import { useLogPage } from "../use-log-page";

export function Activity() {
  return <LogView key={activityLog.name} log={activityLog} nested {...useLogPage("activity")} />;
}
