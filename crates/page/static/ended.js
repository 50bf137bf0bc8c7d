// Incarnations that are over: how each ended, and the last it said.

import { logOf } from './api.js';
import { Ago } from './clock.js';
import { html } from './html.js';
import { link } from './route.js';
import { endWords } from './standing.js';
import { span } from './time.js';

export function Ended({ ended }) {
  if (!ended?.length) return html`<p class="quiet">None ended that nobody asked for.</p>`;
  const newest = [...ended].sort((one, other) => other.number - one.number);
  return html`<ul class="ended">${newest.map((end) => html`<li key=${end.number}><${End} end=${end} /></li>`)}</ul>`;
}

function End({ end }) {
  const lived = end.startedAt && span(Date.parse(end.endedAt) - Date.parse(end.startedAt));
  return html`<p class="facts"><a href=${link('instance', end.instance)}>incarnation ${end.incarnation}</a> <strong>${endWords(end)}</strong>
      <span><${Ago} at=${end.endedAt} /> ago</span> ${lived && html`<span>after ${lived}</span>`} <span>on ${end.host}</span>
      ${!end.containers && html`<${Streams} task=${end.taskId} />`}</p>
    ${end.containers ? html`<ul class="containers">${end.containers.map((one) => html`<li key=${one.name}><${Container} end=${one} /></li>`)}</ul>` : html`<${Said} end=${end} />`}`;
}

/** Of a pod's instance each container ended in its own way. */
const Container = ({ end }) => html`<p class="facts"><span>${end.name}</span> <strong>${endWords(end)}</strong> <${Streams} task=${end.taskId} /></p>
  <${Said} end=${end} />`;

const Streams = ({ task }) => html`<a href=${logOf(task, { stream: 'stdout' })}>stdout</a> <a href=${logOf(task, { stream: 'stderr' })}>stderr</a>`;

const Said = ({ end }) => html`${end.killedForHealth && end.message && html`<p class="quiet">${end.message}</p>`}
  ${(end.checks ?? []).filter((check) => check.attempts.length).map((check) => html`<${Bar} check=${check} />`)}
  ${end.lastErrors && html`<pre tabindex="0" aria-label="The last lines of its stderr">${end.lastErrors}</pre>`}`;

/** The last attempts as small bars, the latest on the right. */
export function Bar({ check }) {
  const attempts = check.attempts.slice(-60);
  const failed = attempts.filter(({ kind }) => kind !== 'success').length;
  return html`<p class="history" role="img" aria-label=${`${check.name ?? 'check'}: ${failed} of the last ${attempts.length} attempts failed`}>
    <span>${check.name ?? `check ${check.id}`}</span> ${attempts.map(({ kind }) => html`<i class=${kind === 'success' ? 'good' : 'bad'}></i>`)}</p>`;
}
