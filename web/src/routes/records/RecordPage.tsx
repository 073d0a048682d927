import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { describeError } from "../../api/errors";
import { blameQuery, versionsQuery } from "../../api/records";
import { workspaceQuery } from "../../api/workspaces";
import { LogContext } from "../../logs/context";
import { humanize } from "../../logs/definition";
import { LOG_PATHS } from "../../logs/paths";
import { useRecentPlace } from "../../logs/recent";
import { recordLink, recordOf, type RecordSearch } from "../../logs/record-link";
import { useWorkspaceClock } from "../../logs/use-workspace-clock";
import { ErrorNotice } from "../../ui/ErrorNotice";
import { SkeletonLine } from "../../ui/Skeleton";
import { Status } from "../../ui/Status";
import { TimeTooltip } from "../../ui/TimeTooltip";
import { ShareTimeline } from "../timeline/ShareTimeline";
import { useTitle } from "../use-log-page";
import { CompareView } from "./CompareView";
import { Gaps } from "./Gaps";
import styles from "./records.module.css";
import { RestorePatch } from "./RestorePatch";
import { StateTable } from "./StateTable";
import { VersionList } from "./VersionList";
import { VersionSlider } from "./VersionSlider";

const ROUTE = "/app/w/$slug/records/$model/$recordId";

/** A record through time: its versions, what it was after one of them, and how it differs from another. */
export function RecordPage() {
  const { slug, ...params } = useParams({ from: ROUTE });
  const search = useSearch({ from: ROUTE });
  const record = recordOf(params, search);
  const { data: workspace } = useSuspenseQuery(workspaceQuery(slug));
  const clock = useWorkspaceClock(workspace);
  const navigate = useNavigate();
  const context = useMemo(
    () => ({ workspace: slug, clock, search: {}, filterLabel: (param: string) => param }),
    [slug, clock],
  );
  const list = useInfiniteQuery(versionsQuery(slug, record));
  const state = useQuery(blameQuery(slug, record, search.at));
  const versions = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const name = state.data?.record_name ?? versions.find((version) => version.record_name)?.record_name;
  const kind = humanize(record.model);
  useTitle(name ?? `${kind} ${record.id}`, workspace.name);

  const router = useRouter();
  useRecentPlace(
    slug,
    state.data
      ? {
          href: router.buildLocation(recordLink(slug, record)).href,
          name: name ?? `${kind} ${record.id}`,
          hint: `Record, ${kind.toLowerCase()}`,
        }
      : null,
  );

  const go = (next: Pick<RecordSearch, "at" | "from">) => {
    const { from = search.from, at = search.at } = next;
    const chosen = { ...(at && at !== versions[0]?.id && { at }), ...(from && { from }) };
    void navigate({ ...recordLink(slug, record, chosen), replace: true });
  };
  const stopComparing = () =>
    void navigate({ ...recordLink(slug, record, search.at ? { at: search.at } : {}), replace: true });

  const error = list.error ?? state.error;
  if (error && versions.length === 0) {
    const retry = () => void Promise.all([list.refetch(), state.refetch()]);
    return <ErrorNotice {...describeError(error)} fullPage onRetry={retry} />;
  }
  const chosen = search.at ?? versions[0]?.id;
  const { data } = state;
  return (
    <LogContext value={context}>
      <div className={styles.page}>
        <div className={styles.head}>
          <div>
            <h1 className={styles.title}>{name ?? record.id}</h1>
            <p className={styles.sub}>
              {kind} <span className={styles.id}>{record.id}</span> · times in {clock.zone}
            </p>
          </div>
          <div className={styles.links}>
            <Link
              to={LOG_PATHS.application}
              params={{ slug }}
              search={{ model: [record.model], record_id: [record.id] }}
            >
              In the application log
            </Link>
            <ShareTimeline
              workspace={workspace}
              question={{ record: `${record.model}:${record.id}` }}
              title="Export all events about this record"
            />
          </div>
        </div>
        <VersionSlider versions={versions} chosen={chosen} onChoose={(at) => go({ at })} />
        <div className={styles.columns}>
          <VersionList
            versions={versions}
            chosen={chosen}
            from={search.from}
            isPending={list.isPending}
            hasMore={list.hasNextPage}
            isLoading={list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
            onChoose={(at) => go({ at })}
            onCompare={(from) => (from === search.from ? stopComparing() : go({ from }))}
          />
          <div className={styles.content}>
            {search.from && chosen ? (
              <CompareView
                slug={slug}
                record={record}
                versions={versions}
                from={search.from}
                to={chosen}
                onStop={stopComparing}
              />
            ) : state.error ? (
              <ErrorNotice {...describeError(state.error)} onRetry={() => void state.refetch()} />
            ) : !data ? (
              <SkeletonLine width="60%" />
            ) : (
              <section aria-labelledby="state" aria-busy={state.isPlaceholderData}>
                <div className={styles.sectionHead}>
                  <h2 id="state">
                    Version {data.version}
                    {search.at ? "" : ", the latest"}
                  </h2>
                  {data.deleted && (
                    <Status tone="bad" shape="minus">
                      Deleted, with its last values
                    </Status>
                  )}
                  {!data.complete && (
                    <Status tone="warn" shape="dot">
                      Created before the log: there may be more fields
                    </Status>
                  )}
                  {chosen && search.at && !data.deleted && (
                    <RestorePatch key={chosen} slug={slug} record={record} to={chosen} />
                  )}
                </div>
                <Gaps gaps={data.gaps} count={data.gap_count} />
                <StateTable fields={data.fields} gaps={data.gaps} />
              </section>
            )}
          </div>
        </div>
      </div>
      <TimeTooltip clock={clock} />
    </LogContext>
  );
}
