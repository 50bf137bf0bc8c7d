// The page: which view is seen, the way to the others, and whether what is seen is live.

import { Agents } from './agents.js';
import { App } from './app.js';
import { Deployments } from './deployments.js';
import { Dialog } from './dialog.js';
import { Edit } from './edit.js';
import { Events } from './events.js';
import { html, render, useEffect, useRef, useState } from './html.js';
import { Instance } from './instance.js';
import { Now } from './now.js';
import { link, parse } from './route.js';
import { isLive, listen, open } from './stream.js';

const VIEWS = { now: Now, app: App, instance: Instance, agents: Agents, deployments: Deployments, events: Events, edit: Edit };
const WAYS = { now: 'Now', agents: 'Agents', deployments: 'Deployments', events: 'Events' };

function Page() {
  const [route, go] = useState(parse(location.hash));
  const main = useRef();
  useEffect(() => {
    const turn = () => {
      go(parse(location.hash));
      main.current.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  useEffect(() => {
    document.title = `${WAYS[route.view] ?? (route.of ? `/${route.of}` : 'Edit')} · Cygnet`;
  }, [route]);
  const View = VIEWS[route.view];
  return html`<header>
      <a class="brand" href=${link('now')}><img src="/ui/icon.svg" alt="" width="24" height="24" /> Cygnet</a>
      <nav aria-label="Views">${Object.entries(WAYS).map(([view, name]) => html`<a href=${link(view)} aria-current=${view === route.view ? 'page' : null}>${name}</a>`)}</nav>
      <${Live} />
    </header>
    <main ref=${main} tabindex="-1"><${View} key=${`${route.view}/${route.of}`} of=${route.of} /></main>
    <${Dialog} />`;
}

function Live() {
  const [live, tell] = useState(isLive());
  useEffect(() => listen(() => tell(isLive())), []);
  return html`<span class=${`live ${live ? 'on' : 'off'}`} role="status">${live ? 'live' : 'not connected'}</span>`;
}

open();
render(html`<${Page} />`, document.getElementById('page'));
