import { Link } from "@tanstack/react-router";
import styles from "./sources.module.css";

/** The way back: to the list, and from a page of a source to the source. */
export function Trail({ slug, source }: { slug: string; source?: string }) {
  return (
    <nav className={styles.trail} aria-label="Way back">
      <Link to="/w/$slug/settings/sources" params={{ slug }}>
        Sources
      </Link>
      {source !== undefined && (
        <>
          <span aria-hidden="true">/</span>
          <Link to="/w/$slug/settings/sources/$source" params={{ slug, source }}>
            {source}
          </Link>
        </>
      )}
    </nav>
  );
}
