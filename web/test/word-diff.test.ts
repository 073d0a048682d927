import { describe, expect, it } from "vitest";
import { wordDiff } from "../src/routes/records/word-diff";

const short = (old: string, now: string) =>
  wordDiff(old, now)
    .map((piece) => ({ both: piece.text, old: `[-${piece.text}-]`, new: `{+${piece.text}+}` })[piece.in])
    .join("");

/** The texts that the pieces are made of. */
function sides(old: string, now: string): [string, string] {
  const pieces = wordDiff(old, now);
  const side = (other: "old" | "new") =>
    pieces
      .filter((piece) => piece.in !== other)
      .map((piece) => piece.text)
      .join("");
  return [side("new"), side("old")];
}

describe("the difference of two texts", () => {
  it("is told word by word", () => {
    expect(short("the quick brown fox", "the slow brown fox")).toBe("the [-quick-]{+slow+} brown fox");
    expect(short("open", "closed")).toBe("[-open-]{+closed+}");
    expect(short("a b c", "a b c d")).toBe("a b c{+ d+}");
    expect(short("", "new")).toBe("{+new+}");
    expect(short("same", "same")).toBe("same");
    expect(short("李雷 来了", "李雷 走了")).toBe("李雷 [-来-]{+走+}了");
    expect(short("see ward_3, bed 4.", "see ward_3, bed 5.")).toBe("see ward_3, bed [-4-]{+5+}.");
  });

  it("has both texts whole, however long they are", () => {
    const words = (count: number, step: number) =>
      Array.from({ length: count }, (_, n) => `w${(n * step) % 17}`).join(" ");
    for (const [old, now] of [
      [words(40, 3), words(50, 5)],
      [words(2000, 3), words(2000, 5)],
      ["👩‍👩‍👧 a\n\nb", "👩‍👧 a\n b"],
    ] as const) {
      expect(sides(old, now)).toEqual([old, now]);
    }
    expect(wordDiff(words(2000, 3), words(2000, 5)).length).toBeLessThan(5);
  });
});
