// The view of agents: when each was last heard of, what it has and what of that is used, its tasks, and emptying it.

import * as api from './api.js';
import { Ago, Until } from './clock.js';
import { ofDrain, ofUndrain } from './consequence.js';
import { Action } from './dialog.js';
import { html, useState } from './html.js';
import { List } from './list.js';
import { useLive } from './live.js';
import { link } from './route.js';
import { Sign } from './sign.js';
import { standingOf, taskWords, used } from './agent.js';
import { Trouble, Waiting } from './state.js';
import { matches } from './summary.js';

const HEADINGS = ['How it is', 'Last heard', 'Resources', 'Tasks', ''];
const NAMED = 4;

export function Agents() {
  const { data, error } = useLive(api.agents, 'agents');
  const [wanted, want] = useState('');
  if (!data) return html`<h1>Agents</h1><${Waiting} error=${error} />`;
  const rows = data.filter(({ id, hostname, attributes }) => matches(`${id} ${hostname} ${JSON.stringify(attributes)}`, wanted));
  return html`<div class="bar"><h1>Agents</h1>
      <input type="search" aria-label="Find an agent" placeholder="Find: a host, an attribute" value=${wanted} onInput=${(event) => want(event.target.value)} /></div>
    <${Trouble} error=${error} />
    <section aria-label="Agents"><div class="headings agent" aria-hidden="true">${HEADINGS.map((heading) => html`<span>${heading}</span>`)}</div>
      <div class="agents"><${List} label="Agents" rows=${rows} draw=${(agent) => html`<${Agent} agent=${agent} />`} /></div></section>
    ${rows.length === 0 && html`<p class="quiet">None.</p>`}`;
}

function Agent({ agent }) {
  const answers = [
    html`<${Sign} ...${standingOf(agent)} /><span class="name" title=${agent.id}>${agent.hostname}</span>
      ${agent.drain?.until && html`<small>what is left is ended <${Until} at=${agent.drain.until} /></small>`}
      ${agent.drain?.why && html`<small>${agent.drain.why}</small>`}`,
    html`<span><${Ago} at=${agent.lastHeardAt} /></span>`,
    html`<span>${used(agent.resources).map((text) => html`<small>${text}</small> `)}</span>`,
    html`<span>${taskWords(agent.tasks)} ${agent.apps.slice(0, NAMED).map(({ id, instances }) => html`<a href=${link('app', id)}>${id}</a> <small>${instances}</small> `)}
      ${agent.apps.length > NAMED && html`<small>and ${agent.apps.length - NAMED} more</small>`}</span>`,
    html`<span><${Drain} agent=${agent} /></span>`,
  ];
  return answers.map((answer, place) => html`<div class="answer" data-label=${HEADINGS[place]}>${answer}</div>`);
}

const Drain = ({ agent }) => (agent.deactivated || agent.drain
  ? html`<${Action} key="undrain" label="Undrain" title=${`Use ${agent.hostname} again?`} says=${ofUndrain(agent)} act=${() => api.undrain(agent.id)} />`
  : html`<${Action} key="drain" label="Drain" title=${`Drain ${agent.hostname}?`} says=${ofDrain(agent)} act=${() => api.drain(agent.id)} />`);
