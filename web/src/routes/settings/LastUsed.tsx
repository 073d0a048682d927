import type { ApiKey } from "../../api/types";
import type { Clock } from "../../ui/time/format";
import { DateText } from "./DateText";

/** When a key was last used. */
export function LastUsed({ apiKey: { last_used_at }, clock }: { apiKey: ApiKey; clock: Clock }) {
  if (!last_used_at) return "Never used";
  return (
    <>
      Last used <DateText at={last_used_at} clock={clock} />
    </>
  );
}
