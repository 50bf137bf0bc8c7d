// The lines of a log: in, pieces of text as they come; out, whole lines, the last so many of them. Pure.

export const MOST_LINES = 5000;
/** The longest line that is kept together, in letters. */
export const LONGEST = 65536;

/** Lines and the piece of one that has not ended, with more text behind. */
export function added({ lines, rest }, text) {
  const pieces = (rest + text).split('\n');
  const last = pieces.at(-1).length < LONGEST ? pieces.pop() : '';
  return { lines: [...lines, ...pieces].slice(-MOST_LINES), rest: last };
}

export const EMPTY = { lines: [], rest: '' };
