// An agent in words: in, one as the API tells it; out, how it is, what of its resources is used, and its tasks by state. Pure.

const DRAINS = { MOVING: 'instances move away', DRAINING: 'is drained', DRAINED: 'drained' };

/** Its state and the word for it, as `Sign` takes them. */
export function standingOf({ active, deactivated, drain }) {
  if (drain) return { state: 'paused', text: DRAINS[drain.state] ?? drain.state.toLowerCase() };
  if (deactivated) return { state: 'paused', text: 'not used' };
  return active ? { state: 'running', text: 'in use' } : { state: 'lost' };
}

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
