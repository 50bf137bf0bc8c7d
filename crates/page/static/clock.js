// One tick a second for all that counts seconds; none while nothing does. `Ago` and `Until` are the two ways to count.

import { html, useEffect, useState } from './html.js';
import { moment, since, until } from './time.js';

const watchers = new Set();
let timer = null;

function watch(tell) {
  watchers.add(tell);
  timer ??= setInterval(() => watchers.forEach((tell) => tell(Date.now())), 1000);
  return () => {
    watchers.delete(tell);
    if (watchers.size) return;
    clearInterval(timer);
    timer = null;
  };
}

export function useNow() {
  const [now, tell] = useState(Date.now());
  useEffect(() => watch(tell), []);
  return now;
}

const Moment = ({ at, text, now }) => html`<time datetime=${at} title=${moment(at, now)}>${text}</time>`;

export function Ago({ at }) {
  const now = useNow();
  return at ? html`<${Moment} at=${at} now=${now} text=${since(at, now)} />` : '–';
}

export function Until({ at, link }) {
  const now = useNow();
  return at && html`<${Moment} at=${at} now=${now} text=${until(at, now, link)} />`;
}
