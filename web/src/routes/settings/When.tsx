import { type Clock, formatDate, formatDateTime, formatMinute } from "../../ui/time/format";

interface WhenProps {
  at: string;
  clock: Clock;
  /** With hour and minute: for what is near. */
  exact?: boolean;
}

/** A day, as the workspace writes it; the whole moment on hover. */
export function When({ at, clock, exact = false }: WhenProps) {
  const instant = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatDateTime(instant, clock)}, ${clock.zone}`}>
      {formatDate(instant, clock)}
      {exact && ` ${formatMinute(instant, clock)}`}
    </time>
  );
}
