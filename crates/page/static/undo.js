// The way back over a deployment that is over: in, what it changed; out, the plan and the difference as the API tries them,
// and a question before anything is sent.

import * as api from './api.js';
import { ofPlan, ofUndo } from './consequence.js';
import { ask } from './dialog.js';
import { Differences } from './differences.js';
import { html } from './html.js';

/** The apps that can be led back: those that were there before and were not removed. Pods and new apps stay. */
export const undone = ({ changes = [] }) =>
  changes.filter(({ isPod, before, after }) => !isPod && before && after && before !== after).map(({ app, before }) => ({ id: app, version: before }));

/** Has the API try the way back, and asks whether to go it. */
export async function undo(over) {
  const wanted = undone(over);
  const { plan, diff } = await api.changeMany(wanted, true);
  const many = wanted.length > 1;
  const more = html`${many && html`<p>${wanted.map(({ id }) => id).join(', ')}</p>`}<${Differences} diff=${diff} />`;
  ask({ title: 'Undo this deployment?', verb: 'Undo', says: `${ofUndo(over, wanted)} ${ofPlan(plan)}`, more, act: () => api.changeMany(wanted, false) });
}
