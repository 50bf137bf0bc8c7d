// The part of a long list that is seen: in, numbers; out, the first and the last row to draw. Pure.

/** Rows are all so high; a few more than are seen are drawn, so that scrolling shows no gap. */
export function seen({ top, height, rowHeight, count, beyond = 8 }) {
  const first = Math.max(0, Math.floor(-top / rowHeight) - beyond);
  const last = Math.min(count, Math.ceil((height - top) / rowHeight) + beyond);
  return [Math.min(first, count), Math.max(last, 0)];
}
