import { describe, expect, it } from "vitest";
import type { AccessEvent } from "../src/api/types";
import {
  countWaiting,
  MOST_LIVE,
  NO_ROWS,
  receive,
  release,
  reloaded,
  withLive,
} from "../src/logs/live-rows";

/** An event at a second, with the seq of its number. */
function event(seq: number, second = seq): AccessEvent {
  const occurred_at = new Date(Date.UTC(2026, 10, 22) + second * 1000).toISOString();
  return { id: `e${seq}`, seq, occurred_at } as AccessEvent;
}

const seqs = (events: readonly AccessEvent[]) => events.map(({ seq }) => seq);
const list = { events: [event(9), event(8), event(5)], hasMore: true };

describe("live rows", () => {
  it("stand in the order of the list, each one once", () => {
    const live = receive(NO_ROWS, [event(9), event(11, 6), event(12), event(12)], false);
    expect(seqs(withLive(list, live))).toEqual([12, 9, 8, 11, 5]);
  });

  it("are not shown before the page where they belong", () => {
    const live = receive(NO_ROWS, [event(11, 1)], false);
    expect(seqs(withLive(list, live))).toEqual([9, 8, 5]);
    expect(seqs(withLive({ ...list, hasMore: false }, live))).toEqual([9, 8, 5, 11]);
  });

  it("wait while somebody reads", () => {
    const live = receive(receive(NO_ROWS, [event(10)], false), [event(8), event(11), event(12)], true);
    expect(seqs(withLive(list, live))).toEqual([10, 9, 8, 5]);
    // One is in the list already.
    expect(countWaiting(list, live)).toBe(2);
    expect(seqs(withLive(list, release(live)))).toEqual([12, 11, 10, 9, 8, 5]);
  });

  it("are only so many, and say so", () => {
    const many = Array.from({ length: MOST_LIVE + 1 }, (_, index) => event(100 + index));
    for (const held of [true, false]) {
      const live = receive(NO_ROWS, many, held);
      expect(live.more).toBe(true);
      expect(live.rows.length + live.waiting.length).toBe(MOST_LIVE);
    }
  });

  it("lose nothing that comes while the list is loaded again", () => {
    const before = receive(NO_ROWS, [event(10), event(11)], true);
    // The page was read between 11 and 12.
    const live = reloaded(receive(before, [event(12)], true), [event(11), event(10), event(9)]);
    expect(seqs(live.rows)).toEqual([12]);
    expect(live.waiting).toEqual([]);
  });
});
