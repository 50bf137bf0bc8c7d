// The view of one instance: each of its checks, and everything that is known of what happened to it, the newest first.

import { InstanceActions } from './actions.js';
import * as api from './api.js';
import { Checks } from './check.js';
import { Found } from './checking.js';
import { Ago, useNow } from './clock.js';
import { Ended } from './ended.js';
import { History } from './history.js';
import { html } from './html.js';
import { useLive } from './live.js';
import { Logs } from './logs.js';
import { appOf, link } from './route.js';
import { Headings, Row } from './row.js';
import { Sign } from './sign.js';
import { instances } from './standing.js';
import { Trouble, Waiting } from './state.js';
import { moment } from './time.js';

export function Instance({ of }) {
  const { data: app, error } = useLive(() => api.appOrPod(appOf(of)), of);
  if (!app) return html`<h1>Instance</h1><${Waiting} error=${error} />`;
  const row = instances(app).find(({ id }) => id === of);
  const ended = (app.ended ?? []).filter(({ instance }) => instance === of);
  return html`<p class="path"><a href=${link('app', app.id)}>${app.id}</a></p>
    <div class="bar"><h1>${of.replace(/^.*instance-/, 'Instance ')}</h1>${row && html`<${InstanceActions} app=${app} row=${row} />`}</div>
    <${Trouble} error=${error} />
    ${row ? html`<${Present} row=${row} />` : html`<p class="quiet">It is no more.</p>`}
    <section aria-label="Incarnations that ended"><h2>Incarnations that ended</h2><${Ended} ended=${ended} /></section>`;
}

const Present = ({ row }) => html`<section aria-label="Now"><${Headings} />
  <ol class="rows"><li class="row"><${Row} row=${row} href=${link('instance', row.id)} name=${row.place || 'nowhere yet'} /></li></ol></section>
  <p class="facts"><span>incarnation ${row.incarnation}</span> ${row.task && html`<span>task ${row.task}</span>`} <span>version ${row.version}</span></p>
  ${row.task && html`<${Found} row=${row} />`}
  <section aria-label="Checks"><h2>Checks</h2><${Checks} checks=${row.health.checks ?? []} /></section>
  ${row.task && row.health.checks?.length > 0 && html`<${History} key=${row.task} task=${row.task} />`}
  ${row.task && html`<${Logs} key=${row.task} task=${row.task} />`}
  ${row.containers?.map(({ task, name }) => html`<${Container} key=${task} task=${task} name=${name} hasChecks=${row.health.checks.length > 0} />`)}
  <${Changes} health=${row.health} />`;

const Container = ({ task, name, hasChecks }) => html`<section aria-label=${`Container ${name}`}><h2>${name}</h2>
  <p class="facts"><span>task ${task}</span></p>
  ${hasChecks && html`<${History} task=${task} of=${name} />`}
  <${Logs} task=${task} of=${name} /></section>`;

function Changes({ health: { changes = [], checks = [] } }) {
  const now = useNow();
  if (!changes.length) return null;
  const name = (index) => checks[index]?.name ?? `check ${index}`;
  return html`<section aria-label="Changes"><h2>What changed</h2>
    <ol class="timeline">${changes.map(({ at, verdict, check, cause, incarnation }) => html`<li key=${at + check}>
      <span class="when">${moment(at, now)} <small><${Ago} at=${at} /> ago</small></span> <${Sign} state=${verdict} />
      <span>${name(check)}${cause ? `: ${cause}` : ''} <small>incarnation ${incarnation}</small></span></li>`)}</ol></section>`;
}
