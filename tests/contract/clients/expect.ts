// What every TypeScript client is asked to do.
export interface Page {
  ids: string[];
  next: string | null | undefined;
  more: boolean;
}

export const { BASE_URL = "", TOKEN = "", WORKSPACE = "" } = process.env;

export async function pageThrough(log: string, fetchPage: (cursor: string | undefined) => Promise<Page>) {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await fetchPage(cursor);
    seen.push(...page.ids);
    if (!page.more) break;
    if (!page.next) throw new Error(`${log}: more events, but no cursor`);
    cursor = page.next;
  }
  const total = Number(process.env[`TOTAL_${log.toUpperCase()}`]);
  if (seen.length !== total || new Set(seen).size !== total) {
    throw new Error(`${log}: ${seen.length} events, ${new Set(seen).size} of them different, but ${total} expected`);
  }
}
