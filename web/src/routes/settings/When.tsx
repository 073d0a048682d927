import { type Clock, formatDate, formatDateTime } from "../../ui/time/format";

interface WhenProps {
  at: string;
  clock: Clock;
}

/** A day, as the workspace writes it; the whole moment on hover. */
export function When({ at, clock }: WhenProps) {
  const instant = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatDateTime(instant, clock)}, ${clock.zone}`}>
      {formatDate(instant, clock)}
    </time>
  );
}
