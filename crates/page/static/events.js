// The view of events: what happened of late and happens, the newest first. Its filter is in the address, so that a link
// shows the same to others; `#17` is the event with this id, which is shown whole.

import { html, useEffect, useState } from './html.js';
import { List } from './list.js';
import { link } from './route.js';
import { listen, recall, recent } from './stream.js';
import { isWanted, telling } from './telling.js';
import { moment } from './time.js';

export function Events({ of }) {
  const [wanted, want] = useState(of);
  const [, hear] = useState(0);
  useEffect(() => {
    const deaf = listen(() => hear((count) => count + 1));
    recall();
    return deaf;
  }, []);
  const filter = (text) => (want(text), history.replaceState(null, '', link('events', text)));
  const rows = recent.map((event) => ({ ...telling(event), id: event.id, at: event.timestamp })).filter((row) => isWanted(row, wanted));
  const [only] = wanted.startsWith('#') ? recent.filter(({ id }) => `#${id}` === wanted) : [];
  return html`<div class="bar"><h1>Events</h1>
      <input type="search" aria-label="Filter" placeholder="Filter: an app, a word, #17" value=${wanted} onInput=${(event) => filter(event.target.value)} /></div>
    <div class="events"><${List} label="Events" rows=${rows} draw=${(row) => html`<${Telling} row=${row} />`} /></div>
    ${only && html`<pre tabindex="0" aria-label="The event as the API tells it">${JSON.stringify(only, null, 2)}</pre>`}
    ${rows.length === 0 && html`<p class="quiet">Nothing that is kept; what happens from now on appears here.</p>`}`;
}

const Telling = ({ row }) => html`<a class="when" href=${link('events', `#${row.id}`)} title=${`Link to event ${row.id}`}><time datetime=${row.at}>${moment(row.at, Date.now())}</time></a>
  <a href=${row.instance ? link('instance', row.instance) : link('app', row.app)}>${row.app || '–'}</a>
  <span class=${row.bad ? 'bad' : ''} title=${row.text}>${row.text}</span> <small>${row.kind}</small>`;
