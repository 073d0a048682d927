import { infiniteQueryOptions } from "@tanstack/react-query";
import { queryKeys } from "../../api/query-keys";
import { timeline } from "../../api/timeline";
import type { FeedEvent } from "../../api/types";
import type { LiveSource } from "../../logs/use-live";
import { asTimelineEvent, type TimelineEvent } from "./definition";
import type { TimelineSearch } from "./timeline-search";

/** A timeline, without what is open. */
type Question = Omit<TimelineSearch, "event">;

const PAGE_SIZE = 100;

async function pageOf(slug: string, query: Parameters<typeof timeline>[1], signal: AbortSignal) {
  const page = await timeline(slug, query, signal);
  return { ...page, data: page.data.map(asTimelineEvent) };
}

/** The pages of a timeline, asked for at `now`. */
export function timelineQuery(slug: string, question: Question, now: number) {
  return infiniteQueryOptions({
    queryKey: queryKeys.timeline(slug, question, now),
    queryFn: ({ pageParam, signal }) =>
      pageOf(slug, { ...question, limit: PAGE_SIZE, ...(pageParam && { cursor: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next_cursor : null),
    staleTime: Infinity,
  });
}

/** The new events of a timeline. */
export function timelineSource(slug: string, question: Question): LiveSource<TimelineEvent> {
  const query = { ...question, order: undefined };
  return {
    question: [slug, JSON.stringify(question)].join(" "),
    tailed: () => ({ workspace: slug, log: "timeline", query }),
    newest: (limit, signal) => pageOf(slug, { ...query, limit }, signal),
    read: (event) => asTimelineEvent(event as FeedEvent),
  };
}
