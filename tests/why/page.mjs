// The rows of the page as text, by the page's own pure functions: in, the overview and an app as the API tells them, on
// standard input; out, each row with its five answers.

import { readFileSync } from 'node:fs';

import { instances } from '../../crates/page/static/standing.js';
import { byGroup } from '../../crates/page/static/summary.js';
import { since, until } from '../../crates/page/static/time.js';

const { overview, app } = JSON.parse(readFileSync(0));
const now = Date.parse(overview.at);

function shown({ state, text, since: began, why, next, before, count = 1, app, isDeployment }) {
  const answers = {
    'how it is': `${text ?? state}${isDeployment ? ` (deployment of ${app})` : ''}${count > 1 ? ` (${count} instances)` : ''}`,
    since: began && since(began, now),
    why,
    next: next && [next.text, next.at && until(next.at, now)].filter(Boolean).join(', '),
    before: before && `${before.text}, ${since(before.at, now)} ago`,
  };
  return Object.entries(answers).map(([name, answer]) => `${name.padEnd(10)} ${answer || '-'}`).join('\n');
}

const rows = byGroup(overview.notWell).flatMap((group) => group.rows);
console.log((rows.length > 0 || !app ? rows : instances(app)).map(shown).join('\n\n'));
