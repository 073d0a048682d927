import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { sourcesQuery } from "../../../api/sources";
import { Status } from "../../../ui/Status";
import { PROBLEM_NAMES } from "./problems";
import styles from "./sources.module.css";

/** What is wrong with the sources of a workspace, on its overview. Nothing where nothing is. */
export function SourceProblems({ slug }: { slug: string }) {
  const { data } = useQuery(sourcesQuery(slug));
  const ill = data?.data.filter(({ problems }) => problems.length > 0) ?? [];
  if (ill.length === 0) return null;
  return (
    <ul className={styles.wrong} aria-label="Sources with problems">
      {ill.map(({ name, problems }) => (
        <li key={name}>
          <Status tone="bad" shape="cross">
            <span>
              <Link to="/w/$slug/settings/sources/$source" params={{ slug, source: name }}>
                {name}
              </Link>
              : {problems.map((problem) => PROBLEM_NAMES[problem].toLowerCase()).join(", ")}
            </span>
          </Status>
        </li>
      ))}
    </ul>
  );
}
