/**
 * What Back restores of a log's page: the time at which the question was asked, so that the loaded pages are still its
 * answer, and where the reader was. Kept for each question at an entry of the browser's history, until the page is reloaded.
 * The router may tell of the entry a moment before the question, so the entry alone does not say which visit it is.
 */
export interface Visit {
  askedAt: number;
  top: number;
  cursor: number;
}

const MOST = 100;
const visits = new Map<string, Visit>();

function keyOf(entry: string, question: string): string {
  return `${entry} ${question}`;
}

export function visitOf(entry: string, question: string): Visit | undefined {
  return visits.get(keyOf(entry, question));
}

/** The visit to come back to, or a new one, which asks now. */
export function startVisit(entry: string, question: string): Visit {
  return visitOf(entry, question) ?? { askedAt: Date.now(), top: 0, cursor: 0 };
}

export function rememberVisit(entry: string, question: string, visit: Visit) {
  const key = keyOf(entry, question);
  visits.delete(key);
  visits.set(key, visit);
  const [oldest] = visits.keys();
  if (visits.size > MOST && oldest !== undefined) visits.delete(oldest);
}
