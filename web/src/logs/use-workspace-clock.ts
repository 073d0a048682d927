import { useMemo } from "react";
import type { Workspace } from "../api/types";
import { asDateFormat } from "../ui/time/date-format";
import type { Clock } from "../ui/time/format";
import { knownZone } from "../ui/time/zone";

export function useWorkspaceClock({ timezone, date_format }: Workspace): Clock {
  return useMemo(
    () => ({ zone: knownZone(timezone), format: asDateFormat(date_format) }),
    [timezone, date_format],
  );
}
