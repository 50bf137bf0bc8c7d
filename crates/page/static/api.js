// The API, each call once: in, what is asked; out, its answer, or an error in the API's own words.

import { asApp } from './pod.js';

const EXPLAINED = 'embed=apps.counts&embed=apps.deployments&embed=apps.brake&embed=apps.health';

/** Totals, and what is not well, the worst first; the first so many. */
export const overview = () => get('/v2/overview?limit=1000');
export const apps = () => get('/v2/apps?embed=apps.counts', 'apps');
export const app = (id) => get(`/v2/apps${path(id)}?${EXPLAINED}`, 'app');
/** A pod in the shape of an app. */
export const pod = (id) => get(`/v2/pods${path(id)}::status?embed=health`).then(asApp);
/** An app, or the pod of this name: which, is asked once, and again if it is no more. */
export async function appOrPod(id) {
  if (!kinds.has(id)) kinds.set(id, (await get('/v2/pods')).some((known) => known.id === id) ? pod : app);
  return kinds.get(id)(id).catch((error) => {
    kinds.delete(id);
    throw error;
  });
}
const kinds = new Map();
/** With what each changed. */
export const versions = (id) => get(`/v2/apps${path(id)}/versions?embed=diff`, 'changes');
export const version = (id, name) => get(`/v2/apps${path(id)}/versions/${encodeURIComponent(name)}`);
export const agents = () => get('/v2/agents', 'agents');
/** The last attempts of each check of a running task. */
export const history = (task) => get(`/v2/tasks/${encodeURIComponent(task)}/history`, 'checks');
/** Where the output of a task is; with `follow` until it has ended. */
export const logOf = (task, wish) => `/v2/tasks/${encodeURIComponent(task)}/logs?${new URLSearchParams(wish)}`;
export const deployments = () => get('/v2/deployments?embed=progress&embed=past');
export const queue = () => get('/v2/queue?embed=lastUnusedOffers&embed=why', 'queue');

export const replace = (id, task) => send('DELETE', `/v2/apps${path(id)}/tasks/${encodeURIComponent(task)}`);
export const pause = (task, seconds) => checks(task, { paused: true, ...(seconds && { seconds }) });
export const resume = (task) => checks(task, { paused: false });
export const scale = (id, instances) => send('PUT', `/v2/apps${path(id)}`, { instances });
export const restart = (id) => send('POST', `/v2/apps${path(id)}/restart`);
export const launchNow = (id) => send('DELETE', `/v2/queue${path(id)}/delay`);
/** Made, or only tried. */
export const change = (id, definition, dry) => send('PUT', `/v2/apps${path(id)}?partialUpdate=false&dryRun=${dry}`, definition);
export const goBack = (id, version, dry) => send('PUT', `/v2/apps${path(id)}?dryRun=${dry}`, { version });
export const create = (definition, dry) => send('POST', `/v2/apps?dryRun=${dry}`, definition);
export const drain = (agent) => send('POST', `/v2/agents/${encodeURIComponent(agent)}/drain`);
export const undrain = (agent) => send('DELETE', `/v2/agents/${encodeURIComponent(agent)}/drain`);
export const cancel = (deployment, force) =>
  send('DELETE', `/v2/deployments/${encodeURIComponent(deployment)}${force ? '?force=true' : ''}`);
/** Everything that a deployment that is over changed, back to what it was. */
export const undo = (deployment, dry) => send('POST', `/v2/deployments/${encodeURIComponent(deployment)}/undo?dryRun=${dry}`);
export const proceed = (deployment) => send('POST', `/v2/deployments/${encodeURIComponent(deployment)}/continue`);

/** Reads the output of a task to `hear`, piece by piece. */
export async function log(task, wish, signal, hear) {
  const answer = await fetch(logOf(task, wish), { headers: { accept: 'text/plain' }, signal });
  if (!answer.ok) throw await refusal(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) hear(piece.value);
}

/** Has all checks of a task made: which, and from when on an attempt is the answer. */
export const checkNow = (task) => send('POST', `/v2/tasks/${encodeURIComponent(task)}/checks`, {});

const checks = (task, wish) => send('PUT', `/v2/tasks/${encodeURIComponent(task)}/checks`, wish);
const path = (id) => id.split('/').filter(Boolean).map((part) => `/${encodeURIComponent(part)}`).join('');

async function get(url, part) {
  const answer = await ask(url, { headers: { accept: 'application/json' } });
  return part ? answer[part] : answer;
}

function send(method, url, body) {
  const headers = { 'content-type': 'application/json' };
  return ask(url, { method, headers, body: body && JSON.stringify(body) });
}

async function ask(url, request) {
  const answer = await fetch(url, request);
  if (!answer.ok) throw await refusal(answer);
  const text = await answer.text();
  return text && JSON.parse(text);
}

const refusal = async (answer) => new Error(words(await answer.text()) || `${answer.status} ${answer.statusText}`);

/** The words of a refusal: its message, and what is wrong with which field. */
export function words(text) {
  try {
    const { message, details = [] } = JSON.parse(text);
    const faults = details.map(({ path, errors = [] }) => `${path}: ${errors.join(', ')}`);
    return [message, ...faults].filter(Boolean).join('\n');
  } catch {
    return text;
  }
}
