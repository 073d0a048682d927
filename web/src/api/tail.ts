import { client } from "./client";
import { ApiError, toApiError } from "./errors";
import { type SseMessage, SseParser } from "./sse";
import type { FilterQuery, LogName, TimelineQuery } from "./types";

/** `waiting`: not connected now, but it will try again. `ended`: it will not. */
export type TailState = "connecting" | "open" | "waiting" | "ended";

export interface TailListener {
  onState: (state: TailState, error: Error | null) => void;
  /** A stream began that knows nothing of what came before it. */
  onBegin: () => void;
  /** Events, as JSON. */
  onEvents: (events: readonly string[]) => void;
}

/** The server says something every 15 seconds. */
const SILENCE_MS = 40_000;
/** After a longer time away, it is better to load the list again than to hear of all that happened. */
const RESUMABLE_MS = 10 * 60_000;
/** A page that nobody sees gives its place to another one. */
const HIDDEN_MS = 60_000;
const WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** What is followed: a log, or the timeline of all logs. */
export type Tailed<L extends LogName = LogName> = { workspace: string } & (
  | { log: L; query: FilterQuery<L> }
  | { log: "timeline"; query: Omit<TimelineQuery, "order" | "limit" | "cursor"> }
);

type Connect = (lastEventId: string | null, signal: AbortSignal) => Promise<Response>;

function connectTo<L extends LogName>({ workspace, log, query }: Tailed<L>): Connect {
  return async (lastEventId, signal) => {
    const path = `/api/v1/workspaces/{workspace}/${log === "timeline" ? log : `logs/${log}`}/tail`;
    const { response, error } = (await client.GET(
      path as never,
      {
        params: {
          path: { workspace },
          query,
          ...(lastEventId !== null && { header: { "Last-Event-ID": lastEventId } }),
        },
        parseAs: "stream",
        signal,
      } as never,
    )) as { response: Response; error?: unknown };
    if (!response.ok || !response.body) throw toApiError(response.status, error);
    return response;
  };
}

/** Follows it until `signal` is aborted, and comes back behind the last event that it has heard of. */
export async function followTail<L extends LogName>(
  tailed: Tailed<L>,
  listener: TailListener,
  signal: AbortSignal,
): Promise<void> {
  const connect = connectTo(tailed);
  let last = null as { id: string; at: number } | null;
  let failures = 0;
  listener.onState("connecting", null);
  while (!signal.aborted) {
    let error: Error | null = null;
    const attempt = linkedTo(signal);
    const stopWatching = whenHidden(() => attempt.abort());
    let wait = WAIT_MS;
    try {
      const behind = last && Date.now() - last.at < RESUMABLE_MS ? last.id : null;
      const silence = setTimeout(() => attempt.abort(), SILENCE_MS);
      const response = await connect(behind, attempt.signal).finally(() => clearTimeout(silence));
      let heard = false;
      for await (const { messages, retry } of read(response, attempt)) {
        wait = retry ?? wait;
        const id = messages.findLast((message) => message.id !== null)?.id ?? undefined;
        if (id !== undefined) last = { id, at: Date.now() };
        if (!heard) {
          heard = true;
          failures = 0;
          listener.onState("open", null);
          if (behind === null) listener.onBegin();
        }
        const events = messages.flatMap(({ data }) => data ?? []);
        if (events.length > 0) listener.onEvents(events);
      }
    } catch (caught) {
      if (signal.aborted) return;
      error = caught as Error;
      if (isFinal(error)) {
        listener.onState("ended", error);
        return;
      }
    } finally {
      stopWatching();
      attempt.abort();
    }
    if (signal.aborted) return;
    // Streams end with the token, without an error, and are there again a moment later.
    if (error) listener.onState("waiting", error);
    await untilShown(signal);
    const longest = Math.min(LONGEST_WAIT_MS, wait * 2 ** failures);
    failures += 1;
    await pause(longest * (0.5 + Math.random() / 2), signal);
  }
}

/** Another try would have the same answer: signed out, not allowed, or a wrong filter. */
function isFinal(error: Error): boolean {
  return error instanceof ApiError && !error.retryable;
}

interface Piece {
  messages: SseMessage[];
  retry: number | null;
}

/** Ends with the stream, and fails when it is silent for too long. */
async function* read(response: Response, attempt: AbortController): AsyncGenerator<Piece> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const silence = setTimeout(() => attempt.abort(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      yield { messages: parser.feed(decoder.decode(value, { stream: true })), retry: parser.retry };
    }
  } finally {
    // What is cancelled may have failed before.
    reader.cancel().catch(() => undefined);
  }
}

function linkedTo(signal: AbortSignal): AbortController {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  signal.addEventListener("abort", () => controller.abort(), { signal: controller.signal });
  return controller;
}

/** Calls back when the page has been hidden for long. Returns how to stop that. */
function whenHidden(callback: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onChange = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(callback, HIDDEN_MS);
  };
  onChange();
  document.addEventListener("visibilitychange", onChange);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onChange);
  };
}

function untilShown(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onChange = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", onChange);
      signal.removeEventListener("abort", onChange);
      resolve();
    };
    document.addEventListener("visibilitychange", onChange);
    signal.addEventListener("abort", onChange);
    onChange();
  });
}

/** Waits, but not longer than until the network is back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}
