// One check by its name: what it asks, what it says, since when, and its last attempt to the phase.

import { Ago, Until } from './clock.js';
import { html } from './html.js';
import { Sign } from './sign.js';
import { latency } from './time.js';

export const Checks = ({ checks }) =>
  checks.length ? html`<ul class="checks">${checks.map((check) => html`<li key=${check.index}><${Check} check=${check} /></li>`)}</ul>` : html`<p class="quiet">It has no health check: it is well as long as it runs.</p>`;

function Check({ check }) {
  const state = check.verdict === 'unknown' && check.grace?.failures ? 'grace' : check.verdict;
  return html`<h3><${Sign} state=${state} /> ${check.name}</h3>
    <p class="facts"><span>${check.asks}</span> <span>every ${check.intervalSeconds} s</span> <span>by the ${check.madeBy}</span>
      ${check.since && html`<span>${check.verdict} for <${Ago} at=${check.since} /></span>`}
      ${check.verdict === 'unhealthy' && html`<span>${streak(check)}</span>`}
      ${check.grace && html`<span>grace ends <${Until} at=${check.grace.until} />, ${times(check.grace.failures)} in it</span>`}
    </p>
    ${check.lastAttempt ? html`<${Attempt} attempt=${check.lastAttempt} />` : html`<p class="quiet">It has not been made yet.</p>`}
    ${check.lastFailure && check.verdict === 'healthy' && html`<p class="quiet">Failed last <${Ago} at=${check.lastFailure} /> ago: ${check.lastFailureCause}</p>`}`;
}

const times = (failures) => `${failures} ${failures === 1 ? 'failure' : 'failures'}`;

const streak = ({ consecutiveFailures, killsAt }) => `${times(consecutiveFailures)} in a row, ${killsAt ? `killed at ${killsAt}` : 'never killed for it'}`;

function Attempt({ attempt }) {
  const phases = Object.entries(attempt.phases ?? {}).sort(([, one], [, other]) => one - other);
  return html`<p class="facts attempt"><strong>${attempt.cause}</strong>
      <span>${latency(attempt.durationSeconds)}</span>
      ${phases.map(([phase, at]) => html`<span>${phase} at ${latency(at)}</span>`)}
      <span><${Ago} at=${attempt.at} /> ago</span></p>
    ${attempt.excerpt && html`<pre tabindex="0" aria-label="What it answered">${attempt.excerpt}</pre>`}`;
}
