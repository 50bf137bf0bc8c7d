// The actions on an app or an instance; each says first what it will do.

import * as api from './api.js';
import { checkNow } from './checking.js';
import * as will from './consequence.js';
import { Action, ask } from './dialog.js';
import { html } from './html.js';
import { link } from './route.js';

const MINUTES = 15;

export const AppActions = ({ app }) => html`<div class="actions">
  <button type="button" onClick=${() => askScale(app)}>Scale</button>
  <${Action} label="Restart" title=${`Restart ${app.id}?`} says=${will.ofRestart(app)} act=${() => api.restart(app.id)} />
  <a class="button" href=${link('edit', app.id)}>Edit</a>
</div>`;

function askScale(app, count = app.instances) {
  const more = html`<label>Instances
    <input type="number" min="0" required value=${count} onInput=${(event) => askScale(app, Math.max(0, Math.trunc(event.target.value)))} /></label>`;
  ask({ title: `Scale ${app.id}`, says: will.ofScale(app, count), verb: 'Scale', more, act: () => api.scale(app.id, count) });
}

export function InstanceActions({ app, row }) {
  if (!row.task) return null;
  const paused = row.health.checksPausedUntil;
  const pause = (minutes) => html`<${Action} key=${minutes} label=${minutes ? `Pause checks ${minutes} min` : 'Pause checks'} title="Pause the checks?"
    says=${will.ofPause(minutes)} act=${() => api.pause(row.task, minutes && minutes * 60)} />`;
  const count = row.health.checks.length;
  return html`<div class="actions">
    ${count > 0 && !paused && html`<${Action} key="check" label="Check now" title="Check this instance now?" says=${will.ofCheckNow(count)} act=${() => checkNow(row.task)} />`}
    ${row.health.checks.length > 0 && (paused ? html`<${Action} key="resume" label="Resume checks" title="Resume the checks?" says=${will.ofResume()} act=${() => api.resume(row.task)} />` : html`${pause(MINUTES)}${pause(0)}`)}
    <${Action} key="replace" label="Replace" title="Replace this instance?" says=${will.ofReplace(app, row)} act=${() => api.replace(app.id, row.task)} />
  </div>`;
}
