// The brake on kills for health, as a gauge: how many of an app were killed, of how many may be.

import { Until } from './clock.js';
import { html } from './html.js';

export function Brake({ app: { healthKills: kills, tasksHeldUnhealthy: held } }) {
  if (!kills || (!kills.used && !held)) return null;
  const text = gauge(kills);
  return html`<section aria-label="Brake"><p class="facts"><strong>brake</strong>
    <meter class=${held ? 'spent' : ''} min="0" max=${Math.max(1, kills.most)} value=${kills.used} aria-label=${text}></meter>
    <span>${text}${kills.nextAt && html`, ${held ? 'next' : 'the first is forgotten'} <${Until} at=${kills.nextAt} />`}</span>
    ${held > 0 && html`<span class="bad">${held} held meanwhile</span>`}</p></section>`;
}

/** "2 of 3 kills used within 60 s". */
export const gauge = ({ used, most, windowSeconds }) => `${used} of ${most} kills for health used within ${windowSeconds} s`;
