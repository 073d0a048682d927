/** A stretch of text that both texts have, or only one of them. */
export interface Piece {
  text: string;
  in: "both" | "old" | "new";
}

/** A word, a blank, or one character of anything else. Chinese characters are words of their own. */
const WORD = /\s+|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}_])+|[^]/gu;
/** The table has a number for each pair of words; longer texts differ as a whole. */
const MOST_WORDS = 1000;

/** How one text becomes the other, word by word: the longest common subsequence stays. */
export function wordDiff(old: string, now: string): Piece[] {
  const before: string[] = old.match(WORD) ?? [];
  const after: string[] = now.match(WORD) ?? [];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  const pieces: Piece[] = [];
  add(pieces, "both", before.slice(0, start));
  middle(pieces, before.slice(start, before.length - end), after.slice(start, after.length - end));
  add(pieces, "both", before.slice(before.length - end));
  return pieces;
}

function middle(pieces: Piece[], before: string[], after: string[]): void {
  if (before.length > MOST_WORDS || after.length > MOST_WORDS) {
    add(pieces, "old", before);
    add(pieces, "new", after);
    return;
  }
  const lengths = commonLengths(before, after);
  const width = after.length + 1;
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    if (row < before.length && column < after.length && before[row] === after[column]) {
      add(pieces, "both", before.slice(row, row + 1));
      row += 1;
      column += 1;
    } else if (
      column === after.length ||
      (row < before.length && at(lengths, width, row + 1, column) >= at(lengths, width, row, column + 1))
    ) {
      add(pieces, "old", before.slice(row, row + 1));
      row += 1;
    } else {
      add(pieces, "new", after.slice(column, column + 1));
      column += 1;
    }
  }
}

/** For each pair of places, how many words both texts have in common after it. */
function commonLengths(before: string[], after: string[]): Uint16Array {
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(lengths, width, row + 1, column + 1) + 1
          : Math.max(at(lengths, width, row + 1, column), at(lengths, width, row, column + 1));
    }
  }
  return lengths;
}

function at(lengths: Uint16Array, width: number, row: number, column: number): number {
  return lengths[row * width + column] ?? 0;
}

function add(pieces: Piece[], side: Piece["in"], words: string[]): void {
  const text = words.join("");
  if (text === "") return;
  const last = pieces.at(-1);
  if (last?.in === side) last.text += text;
  else pieces.push({ text, in: side });
}
