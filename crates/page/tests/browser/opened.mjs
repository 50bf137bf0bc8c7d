// The browser, and pages in it that complain of every error and of every request to anywhere else. In: the arguments of
// the test. Out: ways to open a page, to ask the API beside it, and to wait.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [api, tools, shots] = process.argv.slice(2);
const base = `http://${api}`;
const required = createRequire(path.resolve(tools, 'any.js'));
const { chromium } = required('playwright-core');

/** The script of axe, to be run in a page. */
export const axe = fs.readFileSync(required.resolve('axe-core/axe.min.js'), 'utf8');

export const APP = '/shop/web';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(fs.existsSync);
export const browser = await chromium.launch({ executablePath, args: FLAGS });

export const app = async (id = APP) => (await (await fetch(`${base}/v2/apps${id}?embed=apps.health&embed=apps.brake&embed=apps.deployments&embed=apps.counts`)).json()).app;

export const pod = async (id) => (await fetch(`${base}/v2/pods${id}::status?embed=health`)).json();

/** Asks the API for a change, which it must take. */
export async function send(method, place, body) {
  const answer = await fetch(`${base}${place}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${place}: ${await answer.text()}`);
}

export const wait = async (met) => {
  for (const begun = Date.now(); !(await met()); await new Promise((go) => setTimeout(go, 100)))
    assert.ok(Date.now() - begun < 30_000, `waited in vain: ${met}`);
};

export const healthy = (id, count) => wait(async () => (await app(id)).tasksHealthy === count);

/** Has a task of `cygnet demo http` fail its checks. */
export const fail = ({ ports: [port] }) => fetch(`http://127.0.0.1:${port}/fail`, { method: 'POST' });

/** True for a task that has ended between two questions about its attempts. */
const isOfTheGone = (line) => line.location().url.endsWith('/history');

export async function opened(options) {
  const page = await (await browser.newContext(options)).newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => line.type() === 'error' && !isOfTheGone(line) && faults.push(line.text()));
  page.on('request', (request) => request.url().startsWith(base) || faults.push(`asked ${request.url()}`));
  await page.goto(base);
  assert.equal(page.url(), `${base}/ui/`, 'browsers are sent to the page');
  return { page, faults };
}

export const go = (page, place) => page.evaluate((place) => (location.hash = place), place);

export const shoot = (page, name) => shots && page.screenshot({ path: path.join(shots, `${name}.png`) });

/** Ends a page that must not have complained. */
export async function done({ page, faults }) {
  assert.deepEqual(faults, []);
  await page.context().close();
}
