// How each instance is: in, an app as the API tells it; out, for each instance the five answers: how it is, since when,
// why, what is done next, and what was before. Pure; words of the API are taken as they are.

/** The states, the worst first; what is well comes after `WELL`. */
export const STATES = ['unhealthy', 'held', 'failed', 'lost', 'unchecked', 'waiting', 'grace', 'ending', 'starting', 'paused', 'unknown', 'running', 'healthy'];

const WELL = STATES.indexOf('running');

const rank = (state) => STATES.indexOf(state);
export const isWell = (state) => rank(state) >= WELL;

/** All instances of an app, the worst first, and within that the oldest. */
export function instances(app) {
  const held = new Set(app.heldUnhealthy);
  const ends = latestEnds(app.ended ?? []);
  const all = [
    ...(app.tasks ?? []).map((task) => ofTask(app, task, held.has(task.id), ends)),
    ...(app.waiting ?? []).map((waiting) => ofWaiting(app, waiting, ends)),
  ];
  return all.sort((one, other) => rank(one.state) - rank(other.state) || Date.parse(one.since) - Date.parse(other.since));
}

/** The last end of each instance, by its id. */
function latestEnds(ended) {
  const newest = [...ended].sort((one, other) => one.number - other.number);
  return new Map(newest.map((end) => [end.instance, end]));
}

function ofTask(app, task, isHeld, ends) {
  const health = task.health ?? {};
  const state = stateOf(task, health, isHeld);
  const worst = worstCheck(health.checks ?? []);
  return {
    app: app.id,
    id: health.instance ?? task.id,
    task: task.id,
    containers: task.containers,
    state,
    since: since(state, health, worst) ?? task.startedAt ?? task.stagedAt,
    why: state === 'unchecked' ? health.unchecked.why : why(state, worst, task),
    next: health.nextAction,
    before: before(health, ends.get(health.instance)),
    place: [task.host, task.ports?.[0]].filter(Boolean).join(':'),
    incarnation: health.incarnation ?? 1,
    health,
    version: task.version,
  };
}

function stateOf(task, { verdict, checks = [], checksPausedUntil, unchecked }, isHeld) {
  if (task.state === 'TASK_UNREACHABLE') return 'lost';
  if (task.state === 'TASK_KILLING') return 'ending';
  if (task.state !== 'TASK_RUNNING') return 'starting';
  if (isHeld) return 'held';
  if (verdict === 'unhealthy') return 'unhealthy';
  if (checksPausedUntil) return 'paused';
  if (verdict === 'healthy') return unchecked ? 'unchecked' : 'healthy';
  if (!checks.length) return 'running';
  return checks.some((check) => check.grace?.failures) ? 'grace' : 'unknown';
}

/** The check that says most about how an instance is: one that fails, else one that has said nothing good yet. */
export function worstCheck(checks) {
  const badness = ({ verdict, grace }) => (verdict === 'unhealthy' ? 3 : grace?.failures ? 2 : verdict === 'unknown' ? 1 : 0);
  return checks.reduce((worst, check) => (badness(check) > (worst ? badness(worst) : 0) ? check : worst), null);
}

function why(state, check, task) {
  if (!check || isWell(state)) return state === 'running' ? 'has no health check' : task.message ?? '';
  const cause = check.verdict === 'unhealthy' ? check.lastFailureCause ?? check.lastAttempt?.cause : check.lastAttempt?.cause;
  return `${check.name}: ${cause ?? 'no answer yet'}`;
}

/** Since when: a verdict, since the check that brought it about said so; anything else, since it began. */
function since(state, { checks = [], since, unchecked }, worst) {
  if (state === 'unchecked') return unchecked.since;
  if (['unhealthy', 'held'].includes(state)) return worst?.since ?? since;
  if (state !== 'healthy') return since;
  return checks.map((check) => check.since).filter(Boolean).sort().at(-1) ?? since;
}

/** The state before: another verdict of this incarnation, else how the incarnation before ended. */
function before({ changes = [], incarnation, verdict }, end) {
  const previous = changes.find((change) => change.incarnation === incarnation && change.verdict !== verdict);
  if (previous) return { text: previous.verdict, at: previous.at };
  return end && { text: `incarnation ${end.incarnation} ${endWords(end)}`, at: end.endedAt };
}

/** The end of an incarnation in few words. */
export function endWords({ exitStatus, signal, killedForHealth, unhealthyCause, message, state }) {
  if (killedForHealth) return `was killed because it was unhealthy${unhealthyCause ? `: ${unhealthyCause}` : ''}`;
  if (exitStatus != null) return `exited with status ${exitStatus}`;
  if (signal != null) return `was ended by signal ${signal}`;
  return message || state;
}

export const lastLine = (text) => text?.trimEnd().split('\n').at(-1) ?? '';

function ofWaiting(app, waiting, ends) {
  const end = ends.get(waiting.instance);
  const failed = waiting.nextAction?.kind === 'launch' || (end && end.incarnation === waiting.incarnation - 1);
  const reason = end && [endWords(end), lastLine(end.lastErrors)].filter(Boolean).join(': ');
  return {
    app: app.id,
    id: waiting.instance,
    state: failed ? 'failed' : 'waiting',
    since: waiting.since,
    why: waiting.why ?? (failed ? reason : 'no offer was of use yet'),
    next: waiting.nextAction,
    before: before({}, end),
    place: '',
    incarnation: waiting.incarnation,
    health: { changes: waiting.changes, checks: [] },
    version: app.version,
  };
}
