// Faults, as they are seen on the page: which check fails and why, and what the brake holds.

import { APP, app, done, fail, go, healthy, opened, send, wait } from './opened.mjs';

const CAUSE = '500 Internal Server Error';

/** @returns how long it took until the cause was seen, in milliseconds. */
export async function causeIsSeen() {
  const { page, faults } = await opened();
  await page.getByText('All 3 well').waitFor();
  const task = (await app()).tasks.find(({ health }) => health.verdict === 'healthy');
  const begun = Date.now();
  await fail(task);
  await page.getByText(CAUSE).first().waitFor();
  const took = Date.now() - begun;
  await page.getByText('is killed at failure').first().waitFor();
  await done({ page, faults });
  return took;
}

/** Of three that fail one may be killed: the brake holds another. */
export async function theBrakeIsSeen() {
  const id = '/shop/held';
  const check = { name: 'front page', protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0, intervalSeconds: 1, maxConsecutiveFailures: 1 };
  const brake = { share: 0, least: 1, windowSeconds: 300 };
  await send('POST', '/v2/apps', { id, cmd: 'exec cygnet demo http --port $PORT0', cpus: 0.1, mem: 16, instances: 3, brake, healthChecks: [check] });
  await healthy(id, 3);
  const { page, faults } = await opened();
  await go(page, `#/app${id}`);
  await page.getByText('3 healthy').waitFor();
  const { tasks } = await app(id);
  await Promise.all(tasks.slice(0, 2).map(fail));
  await page.getByText('unhealthy, held').first().waitFor();
  await page.getByText('1 of 1 kills for health used within 300 s, next in').waitFor();
  await page.getByText('is held by the brake').first().waitFor();
  await done({ page, faults });
  await send('DELETE', `/v2/apps${id}?force=true`);
}

/** What happened before the page was opened is there, and a link shows one event. */
export async function eventsHaveLinks() {
  const { page, faults } = await opened();
  await go(page, '#/events');
  await page.getByLabel('Filter').fill('front page failed');
  await page.locator('.events .row', { hasText: CAUSE }).first().waitFor();
  const place = await page.locator('.events .row a.when').first().getAttribute('href');
  await go(page, place);
  await page.getByLabel('The event as the API tells it').waitFor();
  await wait(async () => (await page.locator('.events .row').count()) === 1);
  await page.reload();
  await page.getByLabel('The event as the API tells it').waitFor();
  await done({ page, faults });
}
