// What is pressed happens, and is told before.

import assert from 'node:assert/strict';

import { APP, app, done, go, healthy, opened, send, wait } from './opened.mjs';

export async function actionsSayWhatTheyDo() {
  const { page, faults } = await opened();
  const task = (await app()).tasks.find(({ health }) => health.verdict === 'healthy');
  await go(page, `#/instance/${task.health.instance}`);
  await page.getByRole('button', { name: 'Replace' }).click();
  await page.getByText(`Ends 1 of 3 instances of ${APP}`).waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await page.getByRole('button', { name: 'Pause checks', exact: true }).click();
  await page.locator('dialog button.main').click();
  await wait(async () => (await app()).tasks.some(({ id, health }) => id === task.id && health.checksPausedUntil));
  await page.getByRole('button', { name: 'Replace' }).click();
  await page.locator('dialog button.main').click();
  await wait(async () => (await app()).tasks.every(({ id }) => id !== task.id));
  assert.deepEqual(faults, []);
  await page.context().close();
}

export async function definitionsAreChanged() {
  const { page, faults } = await opened();
  await go(page, `#/edit${APP}`);
  const text = page.getByLabel('Definition');
  await wait(async () => (await text.inputValue()).includes('healthChecks'));
  await text.fill((await text.inputValue()).replace('"instances": 3', '"instances": 4'));
  await page.getByRole('button', { name: 'See what it changes' }).click();
  await page.getByText('launches 1, leaves 3 as they are').waitFor();
  await page.locator('.diff', { hasText: '/instances' }).waitFor();
  await page.locator('dialog button.main').click();
  await page.waitForURL(`**/#/app${APP}`);
  assert.equal((await app()).instances, 4);
  await go(page, '#/deployments');
  await page.getByText('succeeded').first().waitFor();
  await goesBack(page);
  await go(page, '#/edit');
  await page.getByLabel('Definition').fill('{"id": "/bad", "instances": -1}');
  await page.getByRole('button', { name: 'See what it changes' }).click();
  await page.getByRole('alert').waitFor();
  assert.equal(faults.filter((fault) => !fault.includes('422') && !fault.includes('400')).length, 0, faults.join());
  await page.context().close();
}

/** To the version before, from the list of versions. */
async function goesBack(page) {
  await wait(async () => !(await app()).deployments.length);
  await go(page, `#/app${APP}`);
  await page.getByRole('button', { name: 'Go back to' }).first().click();
  await page.getByText(`Take ${APP} back to`).waitFor();
  await page.locator('dialog .diff', { hasText: '/instances' }).waitFor();
  await page.locator('dialog button.main').click();
  await wait(async () => (await app()).instances === 3);
}

/** A deployment that never ends is taken back. */
export async function deploymentsAreTakenBack() {
  const id = '/shop/stuck';
  const check = { name: 'listens', protocol: 'MESOS_LISTEN', portIndex: 0, delaySeconds: 0, intervalSeconds: 1 };
  await send('POST', '/v2/apps', { id, cmd: 'exec cygnet demo http --port $PORT0', cpus: 0.1, mem: 16, instances: 1, healthChecks: [check] });
  await healthy(id, 1);
  await send('PUT', `/v2/apps${id}`, { cmd: 'exec sleep 1000' });
  const { page, faults } = await opened();
  await go(page, '#/deployments');
  const card = page.locator('.card', { hasText: id });
  await card.getByText('not healthy').first().waitFor();
  await card.getByRole('button', { name: 'Take back' }).click();
  await page.getByText(`Takes ${id} back to what it was before`).waitFor();
  await page.locator('dialog button.main').click();
  await page.locator('.timeline li', { hasText: id }).getByText('cancelled').waitFor();
  await wait(async () => (await app(id)).cmd.includes('demo'));
  await done({ page, faults });
  await send('DELETE', `/v2/apps${id}?force=true`);
}

/** A deployment that succeeded is undone: tried first, and told in numbers and as a difference. */
export async function deploymentsAreUndone() {
  const id = '/shop/undone';
  await send('POST', '/v2/apps', { id, cmd: 'exec sleep 1000', cpus: 0.1, mem: 16, instances: 1 });
  await wait(async () => !(await app(id)).deployments.length);
  await send('PUT', `/v2/apps${id}`, { cmd: 'exec sleep 1001' });
  await wait(async () => !(await app(id)).deployments.length);
  const { page, faults } = await opened();
  await go(page, '#/deployments');
  const changed = page.locator('.timeline li', { hasText: id }).first();
  await changed.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(`Takes app ${id} back to what was before this deployment`).waitFor();
  await page.getByText('In instances, it replaces 1').waitFor();
  await page.locator('dialog .diff', { hasText: '/cmd' }).waitFor();
  assert.equal((await app(id)).cmd, 'exec sleep 1001', 'nothing is sent before');
  await page.locator('dialog button.main').click();
  await wait(async () => (await app(id)).cmd === 'exec sleep 1000');
  await wait(async () => !(await app(id)).deployments.length);
  const created = page.locator('.timeline li', { hasText: id }).last();
  await created.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(`Removes app ${id}, stops 1 instance.`).waitFor();
  await page.locator('dialog button.main').click();
  await page.locator('.timeline li', { hasText: id }).nth(3).waitFor();
  const removed = page.locator('.timeline li', { hasText: id }).first();
  await removed.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(`Creates app ${id} again, launches 1 instance.`).waitFor();
  await page.locator('dialog button.main').click();
  await wait(async () => (await app(id))?.cmd === 'exec sleep 1000');
  await done({ page, faults });
  await send('DELETE', `/v2/apps${id}?force=true`);
}

/** With one agent there is nowhere to go: it stays in the middle of it, until it is used again. */
export async function agentsAreDrained() {
  const { page, faults } = await opened();
  await go(page, '#/agents');
  await page.getByText('in use').waitFor();
  await page.getByRole('button', { name: 'Drain' }).click();
  await page.getByText(`of ${APP} (at least`).waitFor();
  await page.locator('dialog button.main').click();
  await page.getByText('instances move away').waitFor();
  await page.getByRole('button', { name: 'Undrain' }).click();
  await page.locator('dialog button.main').click();
  await page.getByText('in use').waitFor();
  await done({ page, faults });
}

/** Without a mouse: to a button, into its question, out of it, and to another view. */
export async function keysAreEnough() {
  const { page, faults } = await opened();
  await go(page, `#/app${APP}`);
  const tabTo = async (name) => {
    const isThere = (name) => document.activeElement?.textContent.trim() === name;
    for (let steps = 0; !(await page.evaluate(isThere, name)); steps += 1) {
      assert.ok(steps < 50, `${name} is not reached`);
      await page.keyboard.press('Tab');
    }
  };
  await page.getByRole('button', { name: 'Restart' }).waitFor();
  await tabTo('Restart');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: `Restart ${APP}?` }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await tabTo('Deployments');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Deployments' }).waitFor();
  await done({ page, faults });
}
