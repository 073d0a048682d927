import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { sourceQuery } from "../../../api/sources";
import type { Source } from "../../../api/types";
import { Status } from "../../../ui/Status";
import type { Clock } from "../../../ui/time/format";
import settings from "../settings.module.css";
import { LatestOfSource } from "./LatestOfSource";
import styles from "./sources.module.css";

/** Waits for the first event of a source, and says when it came. */
export function WaitingFor({ slug, source: name, clock }: { slug: string; source: string; clock: Clock }) {
  const { data: source } = useQuery(sourceQuery(slug, name));
  if (!source || source.last_received_at === null) {
    return (
      <div className={styles.waiting} role="status">
        <Status tone="info" shape="dot">
          Waiting for the first event of {name}…
        </Status>
        <span className={settings.sub}>This page looks every two seconds.</span>
      </div>
    );
  }
  return (
    <div className={styles.waiting} role="status">
      {source.events > 0 ? (
        <>
          <Status tone="good" shape="disc">
            The first event came
          </Status>
          <LatestOfSource slug={slug} source={source} clock={clock} />
        </>
      ) : (
        <NoEvent slug={slug} source={source} />
      )}
    </div>
  );
}

/** What came is no event: it could not be read, the mapping leaves it out, or it was a heartbeat. */
function NoEvent({ slug, source }: { slug: string; source: Source }) {
  const params = { slug, source: source.name };
  if (source.rejected > 0) {
    return (
      <>
        <Status tone="bad" shape="cross">
          Something came and could not be read
        </Status>
        <Link to="/w/$slug/settings/sources/$source" params={params}>
          See why
        </Link>
      </>
    );
  }
  if (source.skipped > 0) {
    return (
      <>
        <Status tone="neutral" shape="minus">
          Something came, and the mapping skipped it
        </Status>
        <Link to="/w/$slug/settings/sources/$source/mapping" params={params}>
          See the mapping
        </Link>
      </>
    );
  }
  return (
    <Status tone="info" shape="dot">
      Something came, and no event yet
    </Status>
  );
}
