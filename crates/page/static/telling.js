// An event in a sentence: in, an event of the API; out, what it is about and what it says. Pure.

import { appOf } from './route.js';
import { matches } from './summary.js';

const SENTENCES = {
  status_update_event: ({ taskStatus, message }) => `${taskStatus.replace('TASK_', '').toLowerCase()}${message ? `: ${message}` : ''}`,
  health_status_changed_event: ({ alive }) => (alive ? 'a check says healthy' : 'a check says unhealthy'),
  instance_health_changed_event: ({ healthy }) => ({ true: 'is healthy', false: 'is unhealthy' })[healthy] ?? 'is not known to be healthy',
  failed_health_check_event: ({ cause }) => `${cause?.check.name ?? 'a check'} failed${cause?.text ? `: ${cause.text}` : ''}`,
  event_stream_gap: () => 'some events were missed',
  instance_changed_event: ({ condition }) => condition.toLowerCase(),
  unhealthy_instance_kill_event: ({ reason }) => `is killed for its health: ${reason}`,
  unhealthy_instance_kill_held_event: ({ reason }) => `is held by the brake: ${reason}`,
  unhealthy_instance_kill_released_event: () => 'is held by the brake no more',
  api_post_event: ({ clientIp }) => `was sent by ${clientIp}`,
  app_terminated_event: () => 'is gone',
};

/** @returns {{app: string, instance: string, text: string, kind: string, bad: boolean}} */
export function telling(event) {
  const instance = event.instanceId ?? event.taskId?.replace(/\._app\.\d+$/, '') ?? '';
  const app = event.appId ?? event.runSpecId ?? event.appDefinition?.id ?? (instance && appOf(instance));
  const kind = event.eventType.replace(/_event$/, '').replaceAll('_', ' ');
  const text = SENTENCES[event.eventType]?.(event) ?? kind;
  return { app: app || event.plan?.steps?.flatMap(({ actions }) => actions.map((action) => action.app))[0] || '', instance, text, kind, bad: isBad(event) };
}

/** True for the event that is named by its id, or those that have the words. */
export function isWanted({ id, app, instance, text, kind }, wanted) {
  return wanted.startsWith('#') ? wanted === `#${id}` : matches(`${app} ${instance} ${text} ${kind}`, wanted);
}

const isBad = ({ eventType, taskStatus, alive, healthy }) =>
  /failed|failure|kill_event|kill_held|disconnected/.test(eventType) || /FAILED|LOST|ERROR|GONE|DROPPED/.test(taskStatus ?? '') || alive === false || healthy === false;
