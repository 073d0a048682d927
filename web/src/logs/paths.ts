import type { LogName } from "../api/types";

/** Where the page of a log is. The activity log is about Logbook itself and belongs to the settings. */
export const LOG_PATHS = {
  access: "/w/$slug/access",
  application: "/w/$slug/application",
  framework: "/w/$slug/framework",
  activity: "/w/$slug/settings/activity",
} as const satisfies Record<LogName, string>;
