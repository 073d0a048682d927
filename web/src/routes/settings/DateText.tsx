import { type Clock, formatDate, formatDateTime, formatMinute } from "../../ui/time/format";

interface DateTextProps {
  at: string;
  clock: Clock;
  /** Adds the hour and the minute: for a moment that is near. */
  withTime?: boolean;
}

/** A date in the workspace's format, with the exact time on hover. */
export function DateText({ at, clock, withTime = false }: DateTextProps) {
  const instant = Date.parse(at);
  return (
    <time dateTime={at} title={`${formatDateTime(instant, clock)}, ${clock.zone}`}>
      {formatDate(instant, clock)}
      {withTime && ` ${formatMinute(instant, clock)}`}
    </time>
  );
}
