// The view of deployments: how far each is, what it waits for, and how to let it go on or take it back.

import * as api from './api.js';
import { Ago } from './clock.js';
import { ofCancel, ofProceed, ofStop } from './consequence.js';
import { Action } from './dialog.js';
import { html, useState } from './html.js';
import { useLive } from './live.js';
import { link } from './route.js';
import { Sign } from './sign.js';
import { Trouble, Waiting } from './state.js';
import { moment, span } from './time.js';
import { undo } from './undo.js';

const NAMED = 5;

export function Deployments() {
  const { data, error } = useLive(api.deployments, 'deployments');
  if (!data) return html`<h1>Deployments</h1><${Waiting} error=${error} />`;
  return html`<h1>Deployments</h1><${Trouble} error=${error} />
    ${data.deployments.length === 0 && html`<p class="well">None is under way.</p>`}
    ${data.deployments.map((deployment) => html`<${Deployment} key=${deployment.id} deployment=${deployment} />`)}
    <${Past} past=${data.past} />`;
}

function Deployment({ deployment }) {
  const { id, affectedApps, affectedPods, currentStep, totalSteps, currentActions, version } = deployment;
  const canary = currentActions.some(({ progress }) => progress?.canary?.isUp);
  return html`<section class="card" aria-label=${`Deployment ${id}`}>
    <div class="bar"><h2>${affectedApps.map((app) => html`<a href=${link('app', app)}>${app}</a> `)}${affectedPods.join(' ')}</h2>
      <div class="actions">
        ${canary && html`<${Action} key="continue" label="Continue" title="Let the rest follow?" says=${ofProceed(deployment)} act=${() => api.proceed(id)} />`}
        <${Action} key="back" label="Take back" title="Take this deployment back?" says=${ofCancel(deployment)} act=${() => api.cancel(id, false)} />
        <${Action} key="stop" label="Stop here" title="Stop this deployment here?" says=${ofStop(deployment)} act=${() => api.cancel(id, true)} />
      </div></div>
    <p class="facts"><span>step ${currentStep} of ${totalSteps}</span> <span>begun <${Ago} at=${version} /> ago</span></p>
    ${currentActions.map((action) => html`<${Step} key=${action.app ?? action.pod} action=${action} />`)}
  </section>`;
}

/** `ScaleApplication` as "scale". */
const verb = (action) => action.replace(/(Application|Pod)$/, '').toLowerCase();

function Step({ action }) {
  const { progress, waitsFor } = action;
  const ready = progress?.ready ?? 0;
  return html`<p class="facts"><strong>${verb(action.action)} ${action.app ?? action.pod}</strong>
      ${progress && html`<progress max=${Math.max(1, progress.instances)} value=${ready} aria-label=${`${ready} of ${progress.instances} ready`}></progress>
      <span>${ready} of ${progress.instances} ready</span>`}
      ${states(progress).map((text) => html`<span>${text}</span>`)}</p>
    ${waitsFor && html`<p>${[waitsFor].flat().join('; ')}</p>`}`;
}

const NAMES = { waiting: 'waiting', starting: 'starting', notHealthy: 'not healthy', notReady: 'not ready', unreachable: 'not heard of', old: 'old', leaving: 'leaving' };

const states = (progress) => Object.entries(NAMES).filter(([field]) => progress?.[field] > 0).map(([field, name]) => `${progress[field]} ${name}`);

const ENDS = { succeeded: 'healthy', failed: 'failed', cancelled: 'paused', replaced: 'unknown' };

function Past({ past }) {
  const newest = [...past].sort((one, other) => other.number - one.number);
  const [refused, refuse] = useState();
  if (!newest.length) return null;
  return html`<section aria-label="Over"><h2>Over</h2><${Trouble} error=${refused} /><ol class="timeline">${newest.map((over) => html`<li key=${over.number}>
    <span class="when">${moment(over.ended, Date.now())} <small><${Ago} at=${over.ended} /> ago</small></span>
    <${Sign} state=${ENDS[over.how]} text=${over.how} />
    <span>${over.apps.slice(0, NAMED).map((app) => html`<a href=${link('app', app)}>${app}</a> `)}${over.appCount > NAMED && `and ${over.appCount - NAMED} more `}
      ${over.reason && html`<small>${over.reason} </small>`}<small>${over.reverts ? 'took another back, ' : ''}in ${span(Date.parse(over.ended) - Date.parse(over.began))}</small></span>
    ${over.canBeUndone && html`<button type="button" aria-label=${`Undo deployment ${over.number}`} onClick=${() => undo(over).then(refuse, refuse)}>Undo</button>`}</li>`)}</ol></section>`;
}
