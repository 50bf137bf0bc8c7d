// Everything that is not well at one look: in, the overview of the API; out, rows, alike ones together, by group, the worst first.
// Pure; words of the API are taken as they are.

const STATES = { failing: 'failed', unreachable: 'lost', slow: 'starting', untelling: 'lost', halted: 'held', deployment: 'deploying' };

export const groupOf = (id) => id.slice(0, id.lastIndexOf('/')) || '/';

/** An entry of the overview as a row. */
export function rowOf(entry) {
  const { kind, text, since, why, check, nextAction, before, instance, deployment, agent, host, apps = [] } = entry;
  return {
    app: entry.app ?? apps[0] ?? '/',
    id: instance ?? deployment ?? agent ?? entry.app,
    isDeployment: Boolean(deployment),
    agent: agent && host,
    isApp: kind === 'halted',
    state: nextAction?.kind === 'grace' ? 'grace' : STATES[kind] ?? kind,
    text,
    since,
    why: [check?.name, why].filter(Boolean).join(': '),
    next: nextAction,
    before,
  };
}

/** Rows that are alike in state, cause and what is next, as the first of them with their number. */
export function alike(rows) {
  const firsts = new Map();
  for (const row of rows) {
    const likeness = JSON.stringify([row.app, row.agent && row.id, row.state, row.text, row.why, row.next?.kind]);
    const first = firsts.get(likeness);
    if (first) first.count += 1;
    else firsts.set(likeness, { ...row, count: 1 });
  }
  return [...firsts.values()];
}

/** The groups in which something is not well, in the order in which the worst of each comes: `[{group, rows}]`. */
export function byGroup(entries) {
  const groups = new Map();
  for (const row of alike(entries.map(rowOf))) {
    const group = groupOf(row.app);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(row);
  }
  return [...groups].map(([group, rows]) => ({ group, rows }));
}

/** The instances of an app that are as they should be, by its counts. */
export const wellOf = (app) => (app.healthChecks?.length ? app.tasksHealthy : app.tasksRunning);

export const matches = (text, wanted) => text.toLowerCase().includes(wanted.trim().toLowerCase());
