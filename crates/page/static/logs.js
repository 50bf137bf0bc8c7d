// The output of a task: the last of it and what comes, one stream at a time, with a filter, and the whole to keep.

import * as api from './api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { added, EMPTY } from './log.js';
import { Trouble } from './state.js';
import { matches } from './summary.js';

const STREAMS = ['stdout', 'stderr'];
const TAIL = 500;
/** New lines are shown so often. */
const SHOW_MS = 150;
/** So near to its end a log is scrolled with what comes. */
const NEAR = 40;

export function Logs({ task, of }) {
  const [stream, choose] = useState(STREAMS[0]);
  const [isFollowed, follow] = useState(true);
  const [wanted, want] = useState('');
  const { lines, over, error } = useLog(task, stream, isFollowed);
  const shown = lines.filter((line) => matches(line, wanted));
  return html`<section aria-label=${of ? `Log of ${of}` : 'Log'}><div class="bar"><h2>Log</h2>
      <select aria-label="Stream" value=${stream} onChange=${(event) => choose(event.target.value)}>${STREAMS.map((name) => html`<option>${name}</option>`)}</select>
      <label><input type="checkbox" checked=${isFollowed} onChange=${(event) => follow(event.target.checked)} /> follow</label>
      <input type="search" aria-label="Filter the log" placeholder="Filter" value=${wanted} onInput=${(event) => want(event.target.value)} />
      <a class="button" href=${api.logOf(task, { stream })} download=${`${task}.${stream}`}>Download</a></div>
    <${Trouble} error=${error} />
    <${Lines} lines=${shown} label=${stream} />
    <p class="quiet">${wanted && `${shown.length} of ${lines.length} lines. `}${over ? 'That is all.' : ''}</p></section>`;
}

/** Stays at the end, if it is there. */
function Lines({ lines, label }) {
  const [element, isNear] = [useRef(), useRef(true)];
  const look = ({ target }) => (isNear.current = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR);
  useLayoutEffect(() => {
    if (isNear.current) element.current.scrollTop = element.current.scrollHeight;
  });
  return html`<pre class="log" tabindex="0" role="log" aria-label=${label} ref=${element} onScroll=${look}>${lines.join('\n')}</pre>`;
}

function useLog(task, stream, isFollowed) {
  const [shown, show] = useState({ lines: [] });
  useEffect(() => {
    const stop = new AbortController();
    read(task, { stream, tail: TAIL, follow: isFollowed }, stop.signal, (next) => stop.signal.aborted || show(next));
    return () => stop.abort();
  }, [task, stream, isFollowed]);
  return shown;
}

async function read(task, wish, signal, show) {
  let [log, timer] = [EMPTY, null];
  const tell = (more) => show({ lines: log.rest ? [...log.lines, log.rest] : log.lines, ...more });
  const later = () => ((timer = null), tell());
  show({ lines: [] });
  const end = await api
    .log(task, wish, signal, (text) => {
      log = added(log, text);
      timer ??= setTimeout(later, SHOW_MS);
    })
    .then(() => ({ over: true }), (error) => ({ error }));
  clearTimeout(timer);
  tell(end);
}
