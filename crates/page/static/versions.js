// The versions of an app, what each changed, and the way back to one.

import * as api from './api.js';
import { ofPlan } from './consequence.js';
import { ask } from './dialog.js';
import { Differences } from './differences.js';
import { html, useState } from './html.js';
import { useLive } from './live.js';
import { Trouble } from './state.js';
import { moment } from './time.js';

const SHOWN = 10;

export function Versions({ app }) {
  const { data = [], error } = useLive(() => api.versions(app.id), `${app.id} ${app.version}`);
  const [refused, refuse] = useState();
  const goBack = (version) => () => tried(app.id, version).then(refuse, refuse);
  return html`<section aria-label="Versions"><h2>Versions</h2><${Trouble} error=${error ?? refused} />
    <ul class="versions">${data.slice(0, SHOWN).map((change) => html`<li key=${change.version}>
      <${Version} ...${change} back=${change.version !== app.version && goBack(change.version)} /></li>`)}</ul>
    ${data.length > SHOWN && html`<p class="quiet">and ${data.length - SHOWN} older</p>`}</section>`;
}

function Version({ version, before, diff, back }) {
  const when = moment(version, Date.now());
  const button = back && html`<button type="button" onClick=${back} aria-label=${`Go back to ${when}`}>Go back to it</button>`;
  if (!before) return html`<div class="bar quiet"><span>${when}: the first that is kept</span>${button}</div>`;
  return html`<div class="bar"><details><summary>${when} <small>${diff.length} ${diff.length === 1 ? 'difference' : 'differences'}</small></summary>
    <${Differences} diff=${diff} /></details>${button}</div>`;
}

/** Has the API try the way back, and asks whether to go it. */
async function tried(id, version) {
  const { plan, diff } = await api.goBack(id, version, true);
  const act = () => api.goBack(id, version, false);
  ask({ title: `Take ${id} back to ${moment(version, Date.now())}?`, verb: 'Go back', says: ofPlan(plan), more: html`<${Differences} diff=${diff} />`, act });
}
