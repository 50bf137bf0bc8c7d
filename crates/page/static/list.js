// A list of which only what is seen is drawn, once it is long. In: rows and how one is drawn. Out: a list that readers of
// screens know the length of.

import { html, useEffect, useRef, useState } from './html.js';
import { seen } from './window.js';

const SHORT = 100;
const NARROW = matchMedia('(max-width: 46rem)');

/** As in page.css. */
const rowHeight = () => (NARROW.matches ? 190 : 64);

export function List({ rows, draw, label }) {
  const element = useRef();
  const [, redraw] = useState(0);
  const long = rows.length > SHORT;
  useEffect(() => {
    if (!long) return undefined;
    let asked = false;
    const again = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => ((asked = false), redraw((count) => count + 1)));
    };
    again();
    addEventListener('scroll', again, { passive: true });
    addEventListener('resize', again);
    return () => (removeEventListener('scroll', again), removeEventListener('resize', again));
  }, [long]);
  const height = rowHeight();
  const top = element.current?.getBoundingClientRect().top ?? 0;
  const [first, last] = long ? seen({ top, height: innerHeight, rowHeight: height, count: rows.length }) : [0, rows.length];
  const item = (row, place) =>
    html`<li class="row" key=${row.id} aria-setsize=${rows.length} aria-posinset=${first + place + 1}>${draw(row)}</li>`;
  return html`<ol ref=${element} class=${long ? 'rows long' : 'rows'} aria-label=${label} style=${long && { height: `${rows.length * height}px`, paddingTop: `${first * height}px` }}>
    ${rows.slice(first, last).map(item)}
  </ol>`;
}
