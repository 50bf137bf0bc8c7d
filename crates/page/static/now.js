// The view Now: totals, and only what is not well, the worst first.

import * as api from './api.js';
import { Ago } from './clock.js';
import { html, useState } from './html.js';
import { List } from './list.js';
import { useLive } from './live.js';
import { link } from './route.js';
import { Headings, Row } from './row.js';
import { Trouble, Waiting } from './state.js';
import { byGroup, matches, wellOf } from './summary.js';

export function Now() {
  const { data, error } = useLive(api.overview, 'now');
  if (!data) return html`<h1>Now</h1><${Waiting} error=${error} />`;
  const { total, notWell, notWellCount, allWellSince, checkersAsOf } = data;
  return html`<h1>Now</h1>
    <${Trouble} error=${error} />
    <${Totals} total=${total} />
    ${byGroup(notWell).map((group, place) => html`<${Group} key=${group.group} ...${group} first=${place === 0} />`)}
    ${notWellCount > notWell.length && html`<p class="quiet">and ${notWellCount - notWell.length} more that are not well</p>`}
    ${notWellCount === 0 && html`<${Well} running=${total.instances.running} since=${allWellSince} />`}
    ${checkersAsOf === null && total.instances.running > 0 && html`<p class="quiet">Whether checks are made is not known yet.</p>`}
    <${Apps} />`;
}

function Totals({ total: { apps, instances: sum } }) {
  const tiles = [
    ['apps not well', `${apps.notWell} of ${apps.all}`, apps.notWell > 0 && 'bad'],
    ['instances running', `${sum.running} of ${sum.wanted}`, sum.running < sum.wanted && 'warn'],
    ['healthy', sum.healthy],
    ['unhealthy', sum.unhealthy, sum.unhealthy > 0 && 'bad'],
    ['held by the brake', sum.held, sum.held > 0 && 'bad'],
    ['waiting or starting', sum.waiting + sum.starting, sum.waiting + sum.starting > 0 && 'warn'],
  ];
  return html`<dl class="tiles">${tiles.map(([name, value, tone]) => html`<div class=${tone || ''}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const Group = ({ group, rows, first }) => html`<section aria-label=${group}>
  <h2>${group}</h2>
  ${first && html`<${Headings} />`}
  <${List} label=${`Not well in ${group}`} rows=${rows} draw=${(row) => html`<${Row} row=${row} href=${target(row)} name=${title(row)} />`} />
</section>`;

function target(row) {
  if (row.isDeployment) return link('deployments');
  if (row.agent) return link('agents');
  return row.count > 1 || row.isApp ? link('app', row.app) : link('instance', row.id);
}

const title = ({ app, count, isDeployment, agent }) =>
  html`${isDeployment ? `deployment of ${app}` : agent ? `agent ${agent}` : app}${count > 1 && html` <small>${count} instances</small>`}`;

function Well({ running, since }) {
  if (!running) return html`<p class="well">Nothing runs. <a href=${link('edit')}>Send the first app</a>.</p>`;
  return html`<p class="well">All ${running} well${since && html` since <${Ago} at=${since} />`}</p>`;
}

const SHOWN = 200;

function Apps() {
  const { data = [], error } = useLive(api.apps, 'apps');
  const [wanted, want] = useState('');
  const found = data.filter((app) => matches(app.id, wanted));
  return html`<section aria-label="All apps">
    <div class="bar"><h2>All apps</h2>
      <input type="search" aria-label="Find an app" placeholder="Find an app" value=${wanted} onInput=${(event) => want(event.target.value)} />
      <a class="button" href=${link('edit')}>New app</a></div>
    <${Trouble} error=${error} />
    <ul class="chips">${found.slice(0, SHOWN).map((app) => html`<li key=${app.id}><${Chip} app=${app} /></li>`)}</ul>
    ${found.length > SHOWN && html`<p class="quiet">and ${found.length - SHOWN} more</p>`}
  </section>`;
}

function Chip({ app }) {
  const well = wellOf(app);
  const tone = app.tasksUnhealthy ? 'unhealthy' : well < app.instances ? 'waiting' : 'healthy';
  return html`<a class=${`chip ${tone}`} href=${link('app', app.id)}>${app.id} <small>${well} of ${app.instances} well</small></a>`;
}
