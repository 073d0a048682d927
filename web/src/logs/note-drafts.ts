/** Texts that were begun and not added, so that a look at the next event does not lose them. Until the page is reloaded. */
const drafts = new Map<string, string>();
const MOST = 20;

export function draftOf(event: string): string {
  return drafts.get(event) ?? "";
}

export function keepDraft(event: string, text: string) {
  drafts.delete(event);
  if (text.trim() === "") return;
  drafts.set(event, text);
  const [oldest] = drafts.keys();
  if (drafts.size > MOST && oldest !== undefined) drafts.delete(oldest);
}
