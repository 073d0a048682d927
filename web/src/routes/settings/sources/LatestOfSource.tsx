import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { latestQuery } from "../../../api/sources";
import type { Source } from "../../../api/types";
import { LOG_PATHS } from "../../../logs/paths";
import type { Clock } from "../../../ui/time/format";
import { DateText } from "../DateText";
import settings from "../settings.module.css";
import styles from "./sources.module.css";

/** The newest event of a source in each log, as links to them. */
export function LatestOfSource({ slug, source, clock }: { slug: string; source: Source; clock: Clock }) {
  const { data: latest } = useQuery(latestQuery(slug, source.name, source.events));
  if (!latest || latest.length === 0) return null;
  return (
    <ul className={styles.tools} aria-label="Newest events">
      {latest.map(({ log, id, action, occurred_at }) => (
        <li key={id} className={settings.sub}>
          <Link to={LOG_PATHS[log]} params={{ slug }} search={{ source: [source.name], event: id }}>
            {action}
          </Link>{" "}
          in the {log} log, <DateText at={occurred_at} clock={clock} withTime />
        </li>
      ))}
    </ul>
  );
}
