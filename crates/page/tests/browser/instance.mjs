// One instance as it runs: its log as it grows, its last attempts, and checks that somebody asks for.

import assert from 'node:assert/strict';

import { app, done, fail, go, healthy, opened, pod, send, shoot, wait } from './opened.mjs';

const SAID = 'now answers 500';

export async function itsLogIsFollowed() {
  const id = '/shop/logged';
  const check = { name: 'front page', protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0, intervalSeconds: 1, maxConsecutiveFailures: 300 };
  await send('POST', '/v2/apps', { id, cmd: 'exec cygnet demo http --port $PORT0', cpus: 0.1, mem: 16, instances: 1, healthChecks: [check] });
  await healthy(id, 1);
  const [task] = (await app(id)).tasks;
  const { page, faults } = await opened();
  await go(page, `#/instance/${task.health.instance}`);
  const log = page.getByRole('log');
  await log.getByText('listening on').waitFor();
  await fail(task);
  await log.getByText(SAID).waitFor({ timeout: 5000 });
  await page.getByLabel('Filter the log').fill('answers');
  await wait(async () => (await log.textContent()).trim().split('\n').length === 1);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  assert.equal(download.suggestedFilename(), `${task.id}.stdout`);
  await attemptsAreDrawn(page);
  await done({ page, faults });
  await send('DELETE', `/v2/apps${id}?force=true`);
}

/** As bars, those that failed too, and as a chart of their phases. */
async function attemptsAreDrawn(page) {
  await page.locator('.history i.bad').first().waitFor();
  await page.getByText(/p50 .* ms, p99 .* ms/).waitFor();
  await page.locator('.chart canvas').waitFor();
  const told = await page.locator('.chart').getAttribute('aria-label');
  assert.match(told, /^How long attempts of front page took: half within .* connect .* ms, first byte .* ms, rest .*; [1-9]\d* of \d+ failed$/);
  assert.deepEqual(await namesOfPhases(page), ['connect', 'first byte', 'rest', 'failed']);
  for (const phase of ['answered', 'failed']) await page.waitForFunction(isDrawn, phase);
}

const namesOfPhases = (page) => page.locator('.legend span:visible').evaluateAll((all) => all.map((one) => one.childNodes[1].data.trim()));

/** Of a check over TLS, light and dark, wide and narrow; an attempt that broke off has those it reached. */
export async function everyPhaseIsDrawn() {
  const [task] = (await app()).tasks;
  const attempt = (_, place) => {
    const took = 0.02 + 0.015 * Math.sin(place / 4) ** 2;
    const phases = { connected: took * 0.15, secured: took * 0.4, ...(place % 20 !== 7 && { answered: took * 0.85 }) };
    return { startedMs: 1.8e12 + place * 1000, durationUs: took * 1e6, kind: phases.answered ? 'success' : 'timeout', phases };
  };
  const checks = [{ name: 'front page', attempts: Array.from({ length: 60 }, attempt), p50Seconds: 0.027, p99Seconds: 0.035 }];
  for (const [colorScheme, width] of [['light', 1280], ['dark', 400]]) {
    const { page, faults } = await opened({ colorScheme, viewport: { width, height: 900 } });
    await page.route('**/v2/tasks/*/history', (route) => route.fulfill({ json: { taskId: task.id, checks, ended: null } }));
    await go(page, `#/instance/${task.health.instance}`);
    await page.locator('.chart canvas').waitFor();
    assert.deepEqual(await namesOfPhases(page), ['connect', 'TLS', 'first byte', 'rest', 'failed']);
    for (const phase of ['connected', 'secured', 'answered', 'rest', 'failed']) await page.waitForFunction(isDrawn, phase);
    await page.locator('.legend').scrollIntoViewIfNeeded();
    await shoot(page, `phases-${width}-${colorScheme}`);
    await done({ page, faults });
  }
}

/** In the page: true if the chart has pixels in the colour of a phase. */
function isDrawn(phase) {
  const colour = getComputedStyle(document.querySelector(`.legend .${phase} i`)).backgroundColor.match(/\d+/g).map(Number);
  const canvas = document.querySelector('.chart canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) if (colour.every((part, place) => data[at + place] === part)) return true;
  return false;
}

/** A check that is made once an hour finds at once that its task is broken. */
export async function checksAreMadeNow() {
  const id = '/shop/asked';
  const check = { name: 'front page', protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0, intervalSeconds: 3600, gracePeriodSeconds: 0, maxConsecutiveFailures: 100 };
  await send('POST', '/v2/apps', { id, cmd: 'exec cygnet demo http --port $PORT0', cpus: 0.1, mem: 16, instances: 1, healthChecks: [check] });
  await wait(async () => (await app(id)).tasksRunning === 1);
  const [task] = (await app(id)).tasks;
  const { page, faults } = await opened();
  await go(page, `#/instance/${task.health.instance}`);
  await isFound(page, 'success');
  const asked = Date.now();
  await fail(task);
  // Who asks again within a second is given the answer of before.
  await wait(async () => Date.now() - asked > 1000);
  await isFound(page, 'status');
  await page.getByLabel('Checks', { exact: true }).getByText('unhealthy').first().waitFor();
  await done({ page, faults });
  await send('DELETE', `/v2/apps${id}?force=true`);
}

/** How each of its containers ended, and each log. */
export async function podsAreShown() {
  const id = '/shop/pair';
  const container = (name, shell) => ({ name, exec: { command: { shell } }, resources: { cpus: 0.05, mem: 8 } });
  const containers = [container('web', 'echo no config >&2; exit 3'), container('log', 'exec sleep 1000')];
  await send('POST', '/v2/pods', { id, containers, scheduling: { backoff: { backoff: 3600, maxLaunchDelay: 3600 } } });
  await wait(async () => (await pod(id)).ended?.length);
  const { page, faults } = await opened();
  await go(page, `#/instance/${(await pod(id)).ended[0].instance}`);
  const ended = page.getByLabel('Incarnations that ended').locator('.containers li');
  await ended.filter({ hasText: 'web exited with status 3' }).getByText('no config').waitFor();
  await ended.filter({ hasText: /^log / }).waitFor();
  await go(page, `#/app${id}`);
  await page.getByLabel('Ended').getByText('no config').waitFor();
  await done({ page, faults });
  await send('DELETE', `/v2/pods${id}?force=true`);
}

async function isFound(page, kind) {
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('Asks its one check now; a failure counts').waitFor();
  await page.locator('dialog button.main').click();
  await page.getByLabel('Checked now').getByText(kind).waitFor({ timeout: 10_000 });
}
