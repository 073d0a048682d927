import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { sourceQuery } from "../../../api/sources";
import { Status } from "../../../ui/Status";
import type { Clock } from "../../../ui/time/format";
import settings from "../settings.module.css";
import { LatestOfSource } from "./LatestOfSource";
import styles from "./sources.module.css";

/** Waits for the first event of a source, and says when it came. */
export function WaitingFor({ slug, source: name, clock }: { slug: string; source: string; clock: Clock }) {
  const { data: source } = useQuery(sourceQuery(slug, name));
  const came = source !== undefined && source.last_received_at !== null;
  return (
    <div className={styles.waiting} role="status">
      {!came ? (
        <Status tone="info" shape="dot">
          Waiting for the first event of {name}…
        </Status>
      ) : source.events > 0 ? (
        <>
          <Status tone="good" shape="disc">
            The first event came
          </Status>
          <LatestOfSource slug={slug} source={source} clock={clock} />
        </>
      ) : (
        <>
          <Status tone="bad" shape="cross">
            Something came and could not be read
          </Status>
          <Link to="/w/$slug/settings/sources/$source" params={{ slug, source: name }}>
            See why
          </Link>
        </>
      )}
      {!came && <span className={settings.sub}>This page looks every two seconds.</span>}
    </div>
  );
}
