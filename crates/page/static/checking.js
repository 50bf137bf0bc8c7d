// Checks that somebody asked for: in, a task; out, what each of its checks found, told below the actions of its instance.

import * as api from './api.js';
import { found } from './found.js';
import { html, useEffect, useState } from './html.js';
import { useRegularly } from './live.js';
import { Sign } from './sign.js';
import { Trouble } from './state.js';
import { latency } from './time.js';

/** The last answers, by task; an event tells of new ones. */
const asked = new Map();

/** Has the checks of a task made, and what they find be shown. */
export async function checkNow(task) {
  asked.clear();
  asked.set(task, await api.checkNow(task));
  dispatchEvent(new Event('asked'));
}

/** The findings about a task whose checks somebody asked for; nothing of any other. */
export function Found({ row }) {
  const [, draw] = useState(0);
  useEffect(() => {
    const again = () => draw((times) => times + 1);
    addEventListener('asked', again);
    return () => removeEventListener('asked', again);
  }, []);
  const answer = asked.get(row.task);
  return answer ? html`<${Answers} key=${answer.nextAction.at} answer=${answer} row=${row} />` : null;
}

function Answers({ answer, row }) {
  const { data: past = [], error } = useRegularly(() => api.history(row.task), answer.nextAction.at);
  return html`<section aria-label="Checked now" aria-live="polite"><h2>Checked now</h2><${Trouble} error=${error} />
    ${answer.checks.some(({ askedBefore }) => askedBefore) && html`<p class="quiet">${answer.nextAction.text}</p>`}
    <ul class="checks">${answer.checks.map((check) => html`<li key=${check.index}><${Answer} check=${check} found=${found(check, past, row.health.checks)} /></li>`)}</ul></section>`;
}

function Answer({ check, found }) {
  if (check.paused) return html`<span>${check.name} is paused</span>`;
  if (!found) return html`<span>${check.name} is asked</span>`;
  return html`<${Sign} state=${found.kind === 'success' ? 'healthy' : 'unhealthy'} text=${found.kind} /> <span>${check.name}${found.code ? ` ${found.code}` : ''}, took ${latency(found.seconds)}</span>`;
}
