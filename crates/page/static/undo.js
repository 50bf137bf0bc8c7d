// The way back over a deployment that is over: in, which; out, what the API says that it would do, and a question before
// anything is done.

import * as api from './api.js';
import { ofPlan, ofUndo } from './consequence.js';
import { ask } from './dialog.js';
import { Differences } from './differences.js';
import { html } from './html.js';

/** Has the API try the way back, and asks whether to go it. */
export async function undo({ id }) {
  const tried = await api.undo(id, true);
  const more = html`<${Staying} tried=${tried} /><${Differences} diff=${changed(tried)} />`;
  ask({ title: 'Undo this deployment?', verb: 'Undo', says: `${ofUndo(tried)} ${ofPlan(tried.plan)}`, more, act: () => api.undo(id, false) });
}

/** What is created or removed differs in everything. */
function changed({ apps, diff }) {
  const whole = new Set(apps.filter(({ isNew, isRemoved }) => isNew || isRemoved).map(({ app }) => app));
  return diff.filter(({ app }) => !whole.has(app));
}

const Staying = ({ tried: { stay, stayUnnamed } }) => html`${stay.map(({ app, text }) => html`<p key=${app}>${app} stays as it is: ${text}</p>`)}
  ${stayUnnamed > 0 && html`<p>and ${stayUnnamed} more that the deployment does not name</p>`}`;
