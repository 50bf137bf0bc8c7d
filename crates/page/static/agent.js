// An agent in words: in, one as the API tells it; out, how it is, what of its resources is used, and its tasks by state. Pure.

const STATES = { inUse: 'running', away: 'lost', refused: 'failed' };

/** Its state and the scheduler's words for it, as `Sign` takes them. */
export const standingOf = ({ standing: { kind, text } }) => ({ state: STATES[kind] ?? 'paused', text });

/** "cpus 1.5 of 4", for all that there is some of. */
export function used({ total, used = {} }) {
  const numbers = Object.entries(total).filter(([, amount]) => typeof amount === 'number' && amount > 0);
  return numbers.map(([name, amount]) => `${name} ${round(used[name] ?? 0)} of ${round(amount)}`);
}

const round = (amount) => Math.round(amount * 100) / 100;

/** `{TASK_RUNNING: 3}` as "3 running". */
export function taskWords(tasks) {
  const words = Object.entries(tasks).map(([state, count]) => `${count} ${state.replace('TASK_', '').toLowerCase().replaceAll('_', ' ')}`);
  return words.join(', ') || 'none';
}
