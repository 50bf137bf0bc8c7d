// Instances that wait to be launched: for how long yet, and which offers were of no use, and why.

import * as api from './api.js';
import { html } from './html.js';
import { ofLaunchNow } from './consequence.js';
import { Action } from './dialog.js';
import { useLive } from './live.js';
import { Ago, Until } from './clock.js';

export function Queue({ app }) {
  const { data = [] } = useLive(api.queue, app.id);
  const item = data.find((item) => (item.app ?? item.pod)?.id === app.id);
  if (!item) return null;
  const again = app.waiting.find(({ nextAction }) => nextAction?.kind === 'launch')?.nextAction.at;
  return html`<section aria-label="Queue"><h2>Waits to be launched</h2>
    <p class="facts"><span>${item.count} waiting for <${Ago} at=${item.since} /></span>
      ${again && html`<span class="when">launched again <${Until} at=${again} /></span>`}
      <span>${item.processedOffersSummary.processedOffersCount} offers looked at, ${item.processedOffersSummary.unusedOffersCount} of no use</span>
      ${item.why.map((words) => html`<span>${words}</span>`)}</p>
    ${(item.lastUnusedOffers ?? []).slice(0, 5).map((unused) => html`<${Offer} key=${unused.offer.id} unused=${unused} app=${app} />`)}
    ${item.delay.timeLeftSeconds > 0 && html`<div class="actions"><${Action} label="Launch now" title=${`Launch ${app.id} now?`} says=${ofLaunchNow(app)} act=${() => api.launchNow(app.id)} /></div>`}
  </section>`;
}

function Offer({ unused, app }) {
  const has = ({ name, scalar }) => scalar != null && `${name} ${scalar}${app[name] ? ` (wants ${app[name]})` : ''}`;
  const offered = unused.offer.resources.map(has).filter(Boolean);
  return html`<p class="facts"><strong>${unused.why.join(', ')}</strong>
    <span>${unused.offer.hostname}</span> ${offered.map((text) => html`<span>${text}</span>`)} <span><${Ago} at=${unused.timestamp} /> ago</span></p>`;
}
