// The consequence of an action, told before it is done: in, the action and what it is about; out, one or two sentences. Pure.

import { wellOf } from './summary.js';

const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

export function ofReplace(app, row) {
  const left = wellOf(app) - (['healthy', 'unchecked', 'running'].includes(row.state) ? 1 : 0);
  const stays = app.instances === 1 ? 'Nothing serves until its successor does.' : `${left} ${left === 1 ? 'remains' : 'remain'} well.`;
  return `Ends 1 of ${plural(app.instances, 'instance')} of ${app.id} and launches a new one in its place. ${stays}`;
}

export const ofPause = (minutes) =>
  `Nothing is asked of this instance ${minutes ? `for ${plural(minutes, 'minute')}` : 'until somebody resumes its checks'}: it is not killed for its health, and if it breaks, nobody is told.`;

export const ofResume = () => 'Its checks are made again, and it may be killed for its health again.';

export const ofCheckNow = (count) =>
  `Asks ${count === 1 ? 'its one check' : `all ${count} checks of it`} now; a failure counts, and may be the last that it may have.`;

export function ofScale(app, count) {
  const change = count - app.instances;
  if (change === 0) return `Changes nothing: ${app.id} has ${plural(count, 'instance')}.`;
  if (change > 0) return `Launches ${plural(change, 'more instance')} of ${app.id}; the ${app.instances} there are stay as they are.`;
  return `Ends ${-change} of ${plural(app.instances, 'instance')} of ${app.id}; ${count} ${count === 1 ? 'remains' : 'remain'}.`;
}

export function ofRestart(app) {
  const least = Math.ceil(app.instances * (app.upgradeStrategy?.minimumHealthCapacity ?? 1));
  return `Replaces all ${plural(app.instances, 'instance')} of ${app.id}, step by step; at least ${least} ${least === 1 ? 'stays' : 'stay'} healthy meanwhile.`;
}

export const ofLaunchNow = (app) => `Forgets the failures of ${app.id}: what waits is launched at once, and if it fails again, the delay begins anew.`;

export const ofProceed = (deployment) => `The rest of ${apps(deployment)} is replaced as its canaries were.`;

export const ofCancel = (deployment) => `Takes ${apps(deployment)} back to what it was before, by a new deployment.`;

/** What the API has tried: what a deployment created is removed, and what it removed is created again. */
export function ofUndo({ apps }) {
  if (!apps.length) return 'Nothing is left of this deployment that could be taken back.';
  const removed = apps.filter(({ isRemoved }) => isRemoved).map((one) => `Removes ${named(one)}, stops ${plural(one.plan.killed, 'instance')}.`);
  const created = apps.filter(({ isNew }) => isNew).map((one) => `Creates ${named(one)} again, launches ${plural(one.plan.launched, 'instance')}.`);
  const back = apps.filter(({ isNew, isRemoved }) => !isNew && !isRemoved).map(named);
  const taken = back.length > 0 && `Takes ${few(back)} back to what was before this deployment; what was changed since is lost, too.`;
  return [...some(removed, 'removed'), ...some(created, 'created again'), taken].filter(Boolean).join(' ');
}

const named = ({ app, isPod }) => `${isPod ? 'pod' : 'app'} ${app}`;

const few = (names) => (names.length > MOST_NAMED ? `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more` : names.join(', '));

const some = (texts, what) => [...texts.slice(0, MOST_NAMED), texts.length > MOST_NAMED && `${texts.length - MOST_NAMED} more are ${what}.`];

export const ofStop = (deployment) =>
  `Leaves ${apps(deployment)} as it is on its way, old and new instances side by side, until the next change.`;

const MOST_NAMED = 3;

/** The loss of every app on an agent, and what remains of it elsewhere while its instances move. */
export function ofDrain({ hostname, apps = [] }) {
  if (!apps.length) return `${hostname} is offered no more; nothing of ours runs there.`;
  const instances = apps.reduce((sum, { instances }) => sum + instances, 0);
  const lost = apps.slice(0, MOST_NAMED).map(({ id, instances, of, minimum }) => `${instances} of ${of} of ${id} (at least ${minimum} ready meanwhile)`);
  const rest = apps.length > MOST_NAMED ? `, and of ${plural(apps.length - MOST_NAMED, 'more app')}` : '';
  return `${hostname} is offered no more, and ${plural(instances, 'instance')} there ${instances === 1 ? 'moves' : 'move'} to other agents, as updates would have it: ${lost.join(', ')}${rest}. What is left after ten minutes is ended.`;
}

export const ofUndrain = ({ hostname }) => `${hostname} is offered again. What has moved away stays where it is.`;

/** A change that the API has tried, in its numbers. */
export function ofPlan({ launched, killed, restarted, remain }) {
  const parts = [
    launched && `launches ${launched}`,
    restarted && `replaces ${restarted}`,
    killed && `ends ${killed}`,
    `leaves ${remain} as ${remain === 1 ? 'it is' : 'they are'}`,
  ];
  return `In instances, it ${parts.filter(Boolean).join(', ')}.`;
}

const apps = ({ affectedApps = [], affectedPods = [] }) => [...affectedApps, ...affectedPods].join(', ') || 'it';
