// The event stream: one for the whole page, opened again when it ends. In: events of every type the API has. Out: each to
// whoever listens, and whether the page is live.

const TYPES = `add_health_check_event api_post_event app_terminated_event deployment_failed deployment_info event_stream_gap
deployment_step_failure deployment_step_success deployment_success failed_health_check_event group_change_failed
group_change_success health_status_changed_event instance_changed_event instance_health_changed_event
pod_created_event pod_deleted_event pod_updated_event remove_health_check_event scheduler_disconnected_event
scheduler_registered_event scheduler_reregistered_event status_update_event unhealthy_instance_kill_event
unhealthy_instance_kill_held_event unhealthy_instance_kill_released_event
unknown_instance_terminated_event`.split(/\s+/);

const AGAIN_MS = 1000;
const KEPT = 500;

const listeners = new Set();
let live = false;
/** The id of the last event: those after it are asked for when the stream is opened again. */
let last = '';
let source = null;
let isRecalled = false;

/** The last events, the newest first. */
export const recent = [];

export const isLive = () => live;

/** Calls `hear` with each event, and with nothing when the stream comes or goes; returns how to stop. */
export function listen(hear) {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

export function open() {
  const types = TYPES.map((type) => `event_type=${type}`).join('&');
  source = new EventSource(`/v2/events?embed=cause&${types}${last && `&lastEventId=${last}`}`);
  source.onopen = () => turn(true);
  source.onerror = ({ target }) => {
    // Opened anew from here and not by the browser, so that there is one way to say which event was the last.
    target.close();
    turn(false);
    setTimeout(open, AGAIN_MS);
  };
  const hear = ({ data, lastEventId }) => {
    last = lastEventId;
    heard({ ...JSON.parse(data), id: lastEventId });
  };
  TYPES.forEach((type) => source.addEventListener(type, hear));
}

/** Hears what happened before the page was opened, too, as far as the scheduler keeps it. */
export function recall() {
  if (isRecalled) return;
  [isRecalled, last, recent.length] = [true, '0', 0];
  // One that has ended is about to be opened again.
  if (source.readyState === EventSource.CLOSED) return;
  source.close();
  open();
}

function turn(to) {
  live = to;
  listeners.forEach((hear) => hear());
}

function heard(event) {
  recent.unshift(event);
  recent.length = Math.min(recent.length, KEPT);
  listeners.forEach((hear) => hear(event));
}
