// The view of one app or pod: its instances, its deployment, what waits, what ended, and its versions.

import { AppActions } from './actions.js';
import * as api from './api.js';
import { Brake } from './brake.js';
import { Ago } from './clock.js';
import { Ended } from './ended.js';
import { Histories } from './history.js';
import { html, useState } from './html.js';
import { List } from './list.js';
import { useLive } from './live.js';
import { Queue } from './queue.js';
import { link } from './route.js';
import { Headings, Row } from './row.js';
import { Sign } from './sign.js';
import { instances } from './standing.js';
import { Trouble, Waiting } from './state.js';
import { matches } from './summary.js';
import { Versions } from './versions.js';

export function App({ of }) {
  const id = `/${of}`;
  const { data: app, error } = useLive(() => api.appOrPod(id), id);
  if (!app) return html`<h1>${id}</h1><${Waiting} error=${error} />`;
  if (app.isPod) return html`<${Pod} pod=${app} error=${error} />`;
  return html`<div class="bar"><h1>${app.id}</h1><${AppActions} app=${app} /></div>
    <${Trouble} error=${error} />
    <${Facts} app=${app} />
    ${app.halted && html`<${Halted} ...${app.halted} />`}
    <${Brake} app=${app} />
    <${Instances} app=${app} />
    ${app.waiting?.length > 0 && html`<${Queue} app=${app} />`}
    <${Histories} rows=${instances(app)} />
    <section aria-label="Ended"><h2>Ended</h2><${Ended} ended=${app.ended} /></section>
    <${Versions} app=${app} />`;
}

/** Less than of an app: pods are changed by the API and the command line. */
const Pod = ({ pod, error }) => html`<h1>${pod.id}</h1>
  <${Trouble} error=${error} />
  <${Instances} app=${pod} />
  ${pod.waiting.length > 0 && html`<${Queue} app=${pod} />`}
  <section aria-label="Ended"><h2>Ended</h2><${Ended} ended=${pod.ended} /></section>`;

function Facts({ app }) {
  const counts = [
    `${app.tasksRunning} of ${app.instances} running`,
    app.healthChecks.length ? `${app.tasksHealthy} healthy, ${app.tasksUnhealthy} unhealthy` : 'no health check',
    app.tasksHeldUnhealthy > 0 && `${app.tasksHeldUnhealthy} held by the brake`,
    `${app.cpus} cpus, ${app.mem} MiB each`,
  ];
  return html`<p class="facts">${counts.filter(Boolean).map((text) => html`<span>${text}</span>`)}
    ${app.deployments?.length > 0 && html`<a href=${link('deployments')}>a deployment is under way</a>`}</p>
    ${app.cmd && html`<pre tabindex="0" aria-label="Command">${app.cmd}</pre>`}`;
}

const Halted = ({ text, since, why, nextAction }) => html`<section aria-label="Halted">
  <p><${Sign} state="held" text=${text} /> <${Ago} at=${since} /></p><p>${why}</p><p class="quiet">${nextAction.text}</p></section>`;

function Instances({ app }) {
  const [wanted, want] = useState('');
  const text = (row) => `${row.id} ${row.state} ${row.why} ${row.place}`;
  const rows = instances(app).filter((row) => matches(text(row), wanted));
  return html`<section aria-label="Instances">
    <div class="bar"><h2>Instances</h2>
      <input type="search" aria-label="Find an instance" placeholder="Find: a state, a host, a cause" value=${wanted} onInput=${(event) => want(event.target.value)} /></div>
    <${Headings} />
    <${List} label="Instances" rows=${rows} draw=${(row) => html`<${Row} row=${row} href=${link('instance', row.id)} name=${short(row)} />`} />
    ${rows.length === 0 && html`<p class="quiet">None.</p>`}
  </section>`;
}

/** The part of an id that tells instances of one app apart, and where it runs. */
const short = (row) => html`${row.id.replace(/^.*instance-/, '').slice(0, 8)} <small>${row.place || 'nowhere yet'}</small>`;
