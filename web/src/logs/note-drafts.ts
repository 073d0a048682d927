import { useSyncExternalStore } from "react";
import { onSessionChange, sessionState } from "../api/session";

/** Texts that were begun and not added, so that a look at the next event does not lose them. Until the page is reloaded. */
const drafts = new Map<string, string>();
const MOST = 20;
/** Who has begun them. */
let author: string | null = null;
const listeners = new Set<() => void>();

// Whoever signs in again after their session expired finds them; nobody else does.
onSessionChange(() => {
  const state = sessionState();
  const isOver =
    state.kind === "signed-in"
      ? state.user.id !== author
      : state.kind === "signed-out" && state.reason === "user";
  if (!isOver || drafts.size === 0) return;
  drafts.clear();
  for (const listener of listeners) listener();
});

/** The text belongs to these events of a workspace, in whatever order they were picked. */
function keyOf(workspace: string, events: readonly string[]): string {
  return [workspace, ...events.toSorted()].join(" ");
}

function keep(key: string, text: string) {
  drafts.delete(key);
  if (text !== "") {
    const state = sessionState();
    if (state.kind === "signed-in") author = state.user.id;
    drafts.set(key, text);
    const [oldest] = drafts.keys();
    if (drafts.size > MOST && oldest !== undefined) drafts.delete(oldest);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The text of a new note on some events, and how it is changed. All forms for the same events have the same text. */
export function useDraft(workspace: string, events: readonly string[]) {
  const key = keyOf(workspace, events);
  const text = useSyncExternalStore(subscribe, () => drafts.get(key) ?? "");
  return [text, (next: string) => keep(key, next)] as const;
}
