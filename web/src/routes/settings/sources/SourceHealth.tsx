import type { Source } from "../../../api/types";
import { formatBytes } from "../../../ui/format-bytes";
import { Sparkline } from "../../../ui/Sparkline";
import { Status } from "../../../ui/Status";
import { type Clock, formatCompact, formatCount, formatDuration } from "../../../ui/time/format";
import { useNow } from "../../../ui/use-now";
import { DateText } from "../DateText";
import settings from "../settings.module.css";
import { courseOf } from "./course";
import { LatestOfSource } from "./LatestOfSource";
import { missingFields, problemTexts } from "./problems";
import styles from "./sources.module.css";

interface SourceHealthProps {
  slug: string;
  source: Source;
  clock: Clock;
}

/** A lag of less than a second is none to speak of, and one below zero is that of a clock. */
function lag(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 0) return `${formatDuration(-seconds)} ahead`;
  return seconds < 1 ? "below 1 s" : formatDuration(seconds);
}

export function SourceHealth({ slug, source, clock }: SourceHealthProps) {
  const now = useNow();
  const problems = problemTexts(source, now);
  const incomplete = missingFields(source);
  const [newest] = source.days;
  return (
    <section className={styles.parts} aria-label="How it is">
      {problems.length > 0 ? (
        <ul className={styles.wrong} aria-label="What is wrong">
          {problems.map((text) => (
            <li key={text}>
              <Status tone="bad" shape="cross">
                {text}
              </Status>
            </li>
          ))}
        </ul>
      ) : (
        <Status tone="good" shape="disc">
          Nothing is wrong with it
        </Status>
      )}
      <dl className={styles.facts}>
        <Fact name="Last event">
          {source.last_event_at ? <DateText at={source.last_event_at} clock={clock} withTime /> : "–"}
        </Fact>
        <Fact name="Last sent">
          {source.last_received_at ? <DateText at={source.last_received_at} clock={clock} withTime /> : "–"}
        </Fact>
        <Fact name="Events">{formatCount(source.events)}</Fact>
        <Fact name="Sent again">{formatCount(source.duplicates)}</Fact>
        <Fact name="Skipped by the mapping">{formatCount(source.skipped)}</Fact>
        <Fact name="Received">{formatBytes(source.bytes)}</Fact>
        <Fact name="Lag">{lag(source.lag_seconds)}</Fact>
        <Fact name="Least lag of an hour">{lag(source.skew_seconds)}</Fact>
        {source.last_heartbeat_at && (
          <Fact name="Last heartbeat">
            <DateText at={source.last_heartbeat_at} clock={clock} withTime />
          </Fact>
        )}
      </dl>
      <LatestOfSource slug={slug} source={source} clock={clock} />
      {newest && (
        <div className={styles.tools}>
          <Sparkline
            counts={courseOf(source, now)}
            label="Events a day, in two weeks"
            format={formatCompact}
          />
          <span className={settings.sub}>
            {formatCompact(newest.events)} {newest.events === 1 ? "event" : "events"} and{" "}
            {formatBytes(newest.bytes)} on {newest.day} (UTC)
          </span>
        </div>
      )}
      {incomplete && <p className={settings.sub}>{incomplete}</p>}
      {source.gaps.length > 0 && (
        <details>
          <summary>
            {formatCount(source.gaps.length, source.gaps_complete)}{" "}
            {source.gaps.length === 1 ? "gap" : "gaps"}
          </summary>
          <ul>
            {source.gaps.slice(0, 100).map(({ epoch, from, to, noticed_at }) => (
              <li key={`${epoch}:${from}`} className={settings.sub}>
                {epoch ? <code>{epoch}</code> : "no epoch"}: {from === to ? from : `${from} to ${to}`},
                noticed <DateText at={noticed_at} clock={clock} withTime />
              </li>
            ))}
          </ul>
        </details>
      )}
      {source.epochs.length > 0 && (
        <details>
          <summary>Runs in which it counts</summary>
          <ul>
            {source.epochs.map(({ epoch, first, last, reordered, repeated, received_at }) => (
              <li key={epoch} className={settings.sub}>
                {epoch ? <code>{epoch}</code> : "no epoch"}: {first} to {last}
                {reordered > 0 && `, ${formatCount(reordered)} out of order`}
                {repeated > 0 && `, ${formatCount(repeated)} repeated`}, last{" "}
                <DateText at={received_at} clock={clock} withTime />
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
