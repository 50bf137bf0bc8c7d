// The pure files of the page, by node's own test runner: `node --test crates/page/tests/`.

import assert from 'node:assert/strict';
import test from 'node:test';

import { standingOf, taskWords, used } from '../static/agent.js';
import * as will from '../static/consequence.js';
import { columns, medians } from '../static/latencies.js';
import { added, EMPTY, LONGEST, MOST_LINES } from '../static/log.js';
import { found } from '../static/found.js';
import { follow, pause } from '../static/follow.js';
import { words } from '../static/api.js';
import { asApp } from '../static/pod.js';
import { appOf, link, parse } from '../static/route.js';
import { instances, isWell } from '../static/standing.js';
import { byGroup, groupOf, rowOf, wellOf } from '../static/summary.js';
import { isWanted, telling } from '../static/telling.js';
import { latency, span, until } from '../static/time.js';
import { seen } from '../static/window.js';

const AT = '2026-11-29T10:00:00.000Z';
const check = (fields) => ({ index: 0, name: 'front page', verdict: 'healthy', since: AT, ...fields });
const task = (id, health, fields) => ({
  id: `${id}._app.1`,
  state: 'TASK_RUNNING',
  host: 'a',
  ports: [31000],
  health: { instance: id, incarnation: 1, since: AT, verdict: 'healthy', checks: [check()], changes: [], ...health },
  ...fields,
});
const app = (fields) => ({ id: '/shop/web', instances: 1, healthChecks: [{}], tasks: [], waiting: [], ended: [], heldUnhealthy: [], ...fields });
const failing = { verdict: 'unhealthy', checks: [check({ verdict: 'unhealthy', lastFailureCause: '503 Service Unavailable', since: '2026-11-29T11:00:00.000Z' })] };

test('a place survives the way into the address and back', () => {
  for (const [view, of] of [['app', 'shop/web'], ['instance', 'shop_web.instance-1'], ['events', ''], ['now', ''], ['edit', 'a b']])
    assert.deepEqual(parse(link(view, of)), { view, of });
  assert.deepEqual(parse('#/nothing/here'), { view: 'now', of: '' });
  assert.deepEqual(parse('#/app/%zz'), { view: 'app', of: '%zz' });
  assert.equal(appOf('shop_web.v1.instance-1234._app.2'), '/shop/web.v1');
});

test('times are read in their largest units', () => {
  assert.deepEqual([0, 45e3, 65e3, 1200e3, 3900e3, 864e5 * 12].map(span), ['0 s', '45 s', '1 min 5 s', '20 min', '1 h 5 min', '12 d']);
  assert.equal(until(AT, Date.parse(AT) - 12e3), 'in 12 s');
  assert.equal(until(AT, Date.parse(AT) - 12e3, 'until'), 'for 12 s');
  assert.equal(until(AT, Date.parse(AT) + 1), 'now');
  assert.deepEqual([0.00015, 0.0123, 1.24].map(latency), ['0.15 ms', '12 ms', '1.2 s']);
});

test('an unhealthy instance says which check, why, and since when', () => {
  const [row] = instances(app({ tasks: [task('i', failing)] }));
  assert.equal(row.state, 'unhealthy');
  assert.equal(row.why, 'front page: 503 Service Unavailable');
  assert.equal(row.since, '2026-11-29T11:00:00.000Z');
});

test('an instance of a pod is one row with its containers', () => {
  const container = (name, fields) => ({ name, containerId: `p.instance-1.${name}.2`, status: 'TASK_RUNNING', endpoints: [{ name, allocatedHostPort: 31000 }], ...fields });
  const instance = (status, containers) => ({
    id: 'p.instance-1',
    status,
    agentHostname: 'a',
    specReference: '/v2/pods/p::versions/V1',
    containers,
    health: { instance: 'p.instance-1', incarnation: 2, since: AT, ...failing, changes: [] },
  });
  const row = (status, ...containers) => instances(asApp({ id: '/p', spec: { version: 'V2' }, instances: [instance(status, containers)] }))[0];
  const { id, task, state, why, place, version, containers } = row('DEGRADED', container('web'), container('log', { endpoints: [] }));
  assert.deepEqual([id, task, state, why, place, version], ['p.instance-1', undefined, 'unhealthy', 'front page: 503 Service Unavailable', 'a:31000', 'V1']);
  assert.deepEqual(containers, [{ name: 'web', task: 'p.instance-1.web.2' }, { name: 'log', task: 'p.instance-1.log.2' }]);
  assert.equal(row('TERMINAL', container('web')).state, 'ending');
  assert.equal(row('DEGRADED', container('web', { status: 'TASK_UNREACHABLE' })).state, 'lost');
  assert.equal(row('PENDING'), undefined, 'what waits is among what waits');
});

test('what does not run is never healthy', () => {
  const states = (fields, health) => instances(app({ tasks: [task('i', health, fields)] }))[0].state;
  assert.equal(states({ state: 'TASK_STAGING' }), 'starting');
  assert.equal(states({ state: 'TASK_UNREACHABLE' }), 'lost');
  assert.equal(states({ state: 'TASK_KILLING' }), 'ending');
  assert.equal(states({}, { checksPausedUntil: 'resumed' }), 'paused');
  assert.equal(states({}, { verdict: 'unhealthy', unchecked: { since: AT, why: 'x' } }), 'unhealthy');
  assert.equal(states({}, { verdict: 'unknown', checks: [] }), 'running');
  assert.equal(states({}, { verdict: 'unknown', checks: [check({ verdict: 'unknown' })] }), 'unknown');
  assert.equal(states({}, { verdict: 'unknown', checks: [check({ verdict: 'unknown', grace: { failures: 2 } })] }), 'grace');
});

test('what is healthy and not checked is not well, and says since when and why', () => {
  const unchecked = { since: '2026-11-29T12:00:00.000Z', why: 'its checker answers nothing' };
  const [row] = instances(app({ tasks: [task('i', { unchecked })] }));
  assert.deepEqual([row.state, row.since, row.why], ['unchecked', unchecked.since, unchecked.why]);
  assert.ok(!isWell(row.state));
});

test('the worst comes first, and what the brake holds is named so', () => {
  const tasks = [task('well'), task('ill', failing), task('held', failing)];
  const rows = instances(app({ tasks, heldUnhealthy: ['held._app.1'] }));
  assert.deepEqual(rows.map(({ state }) => state), ['unhealthy', 'held', 'healthy']);
});

test('what was before is another verdict, or how the last incarnation ended', () => {
  const changes = [{ incarnation: 1, verdict: 'unhealthy', at: AT }, { incarnation: 1, verdict: 'healthy', at: AT }];
  const end = { instance: 'i', incarnation: 1, number: 1, exitStatus: 3, endedAt: AT, lastErrors: 'one\nfatal\n' };
  assert.equal(instances(app({ tasks: [task('i', { ...failing, changes })] }))[0].before.text, 'healthy');
  assert.equal(instances(app({ tasks: [task('i')], ended: [end] }))[0].before.text, 'incarnation 1 exited with status 3');
  const waiting = [{ instance: 'i', incarnation: 2, since: AT, nextAction: { kind: 'launch', text: 'is launched again' } }];
  const [row] = instances(app({ waiting, ended: [end] }));
  assert.deepEqual([row.state, row.why], ['failed', 'exited with status 3: fatal']);
});

test('alike entries are one row, and groups come in the order of their worst', () => {
  const ill = (instance) => ({ kind: 'unhealthy', text: 'is unhealthy', app: '/shop/web', instance, check: { name: 'front page' }, why: '503 Service Unavailable' });
  const waits = { kind: 'waiting', text: 'waits for an offer', app: '/batch', instance: 'w', why: null };
  const groups = byGroup([ill('a'), waits, ill('b')]);
  assert.deepEqual(groups.map(({ group }) => group), ['/shop', '/']);
  assert.deepEqual([groups[0].rows[0].count, groups[0].rows[0].why], [2, 'front page: 503 Service Unavailable']);
  assert.equal(groupOf('/a/b/c'), '/a/b');
});

test('every kind of the overview has a state, and a deployment stands for its apps', () => {
  assert.equal(rowOf({ kind: 'failing', app: '/a', instance: 'i', nextAction: { kind: 'grace' } }).state, 'grace');
  assert.equal(rowOf({ kind: 'failing', app: '/a', instance: 'i' }).state, 'failed');
  const row = rowOf({ kind: 'deployment', deployment: 'd', apps: ['/a', '/b'] });
  assert.deepEqual([row.app, row.id, row.state, row.isDeployment], ['/a', 'd', 'deploying', true]);
  assert.equal(rowOf({ kind: 'unchecked', app: '/a', instance: 'i' }).state, 'unchecked');
  const agents = ['S1', 'S2'].map((agent) => ({ kind: 'untelling', text: 'does not tell', agent, host: 'box' }));
  const [{ group, rows }] = byGroup(agents);
  assert.deepEqual([group, rows.length, rows[0].agent, rows[0].state], ['/', 2, 'box', 'lost']);
});

test('an app without checks is well while it runs', () => {
  assert.equal(wellOf({ healthChecks: [], tasksRunning: 2, tasksHealthy: 0 }), 2);
  assert.equal(wellOf({ healthChecks: [{}], tasksRunning: 2, tasksHealthy: 1 }), 1);
  assert.ok(isWell('healthy') && isWell('running') && !isWell('unknown'));
});

test('actions say in numbers what they will do', () => {
  const three = { id: '/web', instances: 3, healthChecks: [{}], tasksHealthy: 3, upgradeStrategy: { minimumHealthCapacity: 0.5 } };
  assert.match(will.ofReplace(three, { state: 'healthy' }), /1 of 3 instances of \/web.*2 remain well/);
  assert.match(will.ofReplace(three, { state: 'unhealthy' }), /3 remain well/);
  assert.match(will.ofScale(three, 5), /2 more instances/);
  assert.match(will.ofScale(three, 1), /Ends 2 of 3 instances of \/web; 1 remains/);
  assert.match(will.ofRestart(three), /at least 2 stay healthy/);
  assert.match(will.ofPause(15), /for 15 minutes/);
  assert.equal(will.ofPlan({ launched: 2, killed: 0, restarted: 0, remain: 3 }), 'In instances, it launches 2, leaves 3 as they are.');
});

test('an agent says how it is, what is used, and what draining it costs', () => {
  const of = (kind, text) => standingOf({ standing: { kind, text } });
  assert.deepEqual(of('inUse', 'in use'), { state: 'running', text: 'in use' });
  assert.equal(of('away', 'away').state, 'lost');
  assert.deepEqual(of('moving', 'instances move away'), { state: 'paused', text: 'instances move away' });
  assert.deepEqual(used({ total: { cpus: 4, mem: 1024, gpus: 0, ports: '[1-2]' }, used: { cpus: 0.30000000000000004 } }), ['cpus 0.3 of 4', 'mem 0 of 1024']);
  assert.equal(taskWords({ TASK_RUNNING: 3, TASK_STAGING: 1 }), '3 running, 1 staging');
  const apps = [{ id: '/web', instances: 1, of: 3, minimum: 2 }];
  assert.match(will.ofDrain({ hostname: 'a', apps }), /1 instance there moves.*1 of 3 of \/web \(at least 2 ready/);
  assert.match(will.ofDrain({ hostname: 'a', apps: [] }), /nothing of ours/);
});

test('only what is seen of ten thousand rows is drawn', () => {
  const [first, last] = seen({ top: -50_000, height: 900, rowHeight: 50, count: 10_000 });
  assert.deepEqual([first, last], [992, 1026]);
  assert.deepEqual(seen({ top: 800, height: 900, rowHeight: 50, count: 3 }), [0, 3]);
});

test('events are told with what they are about', () => {
  const told = telling({ eventType: 'status_update_event', appId: '/web', taskId: 'web.instance-1._app.2', taskStatus: 'TASK_FAILED', message: 'exit 1' });
  assert.deepEqual([told.app, told.instance, told.text, told.bad], ['/web', 'web.instance-1', 'failed: exit 1', true]);
  const cause = { text: '503 Service Unavailable', check: { name: 'front page' } };
  assert.equal(telling({ eventType: 'failed_health_check_event', appId: '/web', cause }).text, 'front page failed: 503 Service Unavailable');
  assert.equal(telling({ eventType: 'something_new_event' }).text, 'something new');
});

test('one event is found by its id, others by their words', () => {
  const row = { id: '17', app: '/web', instance: 'web.instance-1', text: 'failed: exit 1', kind: 'status update' };
  assert.deepEqual(['#17', '#1', '#171', '/web', 'EXIT', 'healthy', ''].map((wanted) => isWanted(row, wanted)), [true, false, false, true, true, false, true]);
});

test('attempts are drawn in their order, each phase up to where it ended', () => {
  const first = { startedMs: 1000, durationUs: 5_000_000, kind: 'success', phases: { connected: 1, secured: 2, answered: 4 } };
  const second = { startedMs: 2000, durationUs: 3_000_000, kind: 'timeout', phases: { connected: 2 } };
  const drawn = [[1, 2], [5, 3], [4, 2], [2, 2], [1, 2], [0, 0], [null, 3]];
  assert.deepEqual(columns({ attempts: [second, first] }), drawn);
  const typical = [['connect', 1], ['TLS', 1], ['first byte', 2], ['rest', 1]];
  assert.deepEqual(medians({ attempts: [second, first] }).map(({ name, seconds }) => [name, seconds]), typical);
});

test('attempts without phases, or with some that make no sense, are drawn all the same', () => {
  const attempt = (phases) => ({ startedMs: 1000, durationUs: 2_000_000, kind: 'success', phases });
  assert.deepEqual(columns({ attempts: [attempt()] }), [[1], [2], [0], [0], [0], [0], [null]]);
  assert.deepEqual(medians({ attempts: [attempt()] }), [{ end: 'rest', name: 'rest', seconds: 2 }]);
  assert.deepEqual(columns({ attempts: [attempt({ connected: 9, answered: 1 })] }), [[1], [2], [2], [2], [2], [0], [null]]);
});

test('a log is whole lines, the last of them', () => {
  const log = ['one\ntw', 'o\n\nthr'].reduce(added, EMPTY);
  assert.deepEqual(log, { lines: ['one', 'two', ''], rest: 'thr' });
  const long = added(log, `ee\n${'x\n'.repeat(MOST_LINES)}`);
  assert.equal(long.lines.length, MOST_LINES);
});

test('a log without line ends does not grow for ever', () => {
  const half = 'x'.repeat(LONGEST / 2);
  const log = [half, half, 'y'].reduce(added, EMPTY);
  assert.deepEqual(log, { lines: [half + half], rest: 'y' });
});

test('a refusal is told with the fields at fault', () => {
  assert.equal(words('{"message":"Object is not valid","details":[{"path":"/cpus","errors":["too few"]}]}'), 'Object is not valid\n/cpus: too few');
  assert.equal(words('plain'), 'plain');
});

test('many events are one question, and slow answers are asked for rarely', async () => {
  const timers = [];
  const clock = { setTimeout: (act, ms) => timers.push({ act, ms }), clearTimeout: () => {} };
  let asked = 0;
  const shown = [];
  const following = follow(async () => ++asked, (answer) => shown.push(answer.data), { clock });
  for (let event = 0; event < 1000; event += 1) following.soon();
  await new Promise(setImmediate);
  assert.deepEqual([asked, shown], [1, [1]]);
  assert.equal(timers.length, 1);
  assert.ok(timers[0].ms < 300);
  assert.equal(pause(2000), 2000);
  following.stop();
});

test('what nobody sees is not asked for again until somebody does', async () => {
  const timers = [];
  const clock = { setTimeout: (act) => timers.push(act), clearTimeout: () => {} };
  let [asked, isSeen] = [0, false];
  const following = follow(async () => ++asked, () => {}, { clock, isSeen: () => isSeen });
  await new Promise(setImmediate);
  timers.pop()();
  following.soon();
  assert.deepEqual([asked, timers.length], [1, 0]);
  isSeen = true;
  following.soon();
  isSeen = false;
  timers.pop()();
  assert.equal(asked, 1, 'hidden again before it was due');
  isSeen = true;
  following.soon();
  timers.pop()();
  assert.equal(asked, 2);
  following.stop();
});

test('an attempt that began before it was asked for is no answer', () => {
  const check = { index: 0, madeBy: 'executor', askedAt: '1970-01-01T00:00:05.000Z' };
  const attempt = (startedMs, kind) => ({ startedMs, durationUs: 20_000, kind, code: 503 });
  const past = [{ id: '0', attempts: [attempt(4999, 'success')] }];
  assert.equal(found(check, past, []), null, 'though it ended later');
  past[0].attempts.push(attempt(5000, 'status'));
  assert.deepEqual(found(check, past, []), { kind: 'status', code: 503, seconds: 0.02 });
  const known = (at) => [{ index: 0, lastAttempt: { at, kind: 'refused', durationSeconds: 0.2 } }];
  assert.equal(found({ ...check, madeBy: 'scheduler' }, [], known('1970-01-01T00:00:05.100Z')), null, 'it was under way');
  assert.equal(found({ ...check, madeBy: 'scheduler' }, [], known('1970-01-01T00:00:05.200Z')).kind, 'refused');
});

test('undoing a deployment says what it takes back, and what stays', () => {
  const one = (app, fields, plan) => ({ app, isNew: false, isRemoved: false, isPod: false, plan: { launched: 0, killed: 0, restarted: 0, remain: 0, ...plan }, ...fields });
  const said = (...apps) => will.ofUndo({ apps });
  assert.equal(said(one('/a')), 'Takes app /a back to what was before this deployment; what was changed since is lost, too.');
  assert.equal(said(one('/x', { isRemoved: true }, { killed: 3 })), 'Removes app /x, stops 3 instances.');
  assert.equal(said(one('/p', { isNew: true, isPod: true }, { launched: 1 })), 'Creates pod /p again, launches 1 instance.');
  assert.match(said(one('/x', { isRemoved: true }), one('/a'), one('/p', { isPod: true })), /^Removes app \/x.* Takes app \/a, pod \/p back/);
  assert.match(said(...['/a', '/b', '/c', '/d', '/e'].map((app) => one(app, { isRemoved: true }))), / 2 more are removed\.$/);
  assert.match(said(), /^Nothing is left/);
});

test('checks that are made now say that failures count', () => {
  assert.match(will.ofCheckNow(1), /^Asks its one check now; a failure counts/);
  assert.match(will.ofCheckNow(2), /^Asks all 2 checks of it now; a failure counts/);
});
