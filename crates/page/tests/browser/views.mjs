// Every view, light and dark, wide and narrow: fit for all, and of long lists only what is seen is drawn.

import assert from 'node:assert/strict';

import { APP, app, axe, go, opened, shoot } from './opened.mjs';

/** In the page: true if no row has columns. */
const hasCards = () => [...document.querySelectorAll('.row')].every((row) => !getComputedStyle(row).gridTemplateColumns.includes(' '));

export async function everyViewIsFitForAll() {
  const { tasks } = await app();
  const ill = tasks.find(({ health }) => health.verdict === 'unhealthy') ?? tasks[0];
  const views = { now: '#/', app: `#/app${APP}`, instance: `#/instance/${ill.health.instance}`, agents: '#/agents', deployments: '#/deployments', events: '#/events', edit: `#/edit${APP}` };
  for (const colorScheme of ['light', 'dark'])
    for (const width of [1280, 400]) {
      const { page, faults } = await opened({ colorScheme, viewport: { width, height: 900 } });
      for (const [view, place] of Object.entries(views)) {
        await go(page, place);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForFunction(() => !document.querySelector('main > .quiet'), null, { timeout: 3000 }).catch(() => {});
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const named = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
        assert.deepEqual(named, [], `${view}, ${colorScheme}, ${width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${view} at ${width} is ${wide} pixels too wide`);
        if (width === 400) assert.ok(await page.evaluate(hasCards), `${view} has rows where cards should be`);
        await shoot(page, `${view}-${width}-${colorScheme}`);
      }
      assert.deepEqual(faults, []);
      await page.context().close();
    }
}

export async function tenThousandAreDrawnAsTheyAreSeen() {
  const { page } = await opened({ viewport: { width: 1280, height: 900 } });
  const one = await app();
  const tasks = Array.from({ length: 10_000 }, (_, place) => {
    const instance = `shop_web.instance-${String(place).padStart(8, '0')}`;
    return { ...one.tasks[1], id: `${instance}._app.1`, health: { ...one.tasks[1].health, instance } };
  });
  await page.route('**/v2/apps/shop/web?**', (route) => route.fulfill({ json: { app: { ...one, instances: tasks.length, tasks } } }));
  await go(page, `#/app${APP}`);
  await page.locator('.long .row').first().waitFor();
  const begun = Date.now();
  await page.evaluate(() => scrollTo(0, document.querySelector('.long').offsetTop + 64 * 5000));
  await page.waitForFunction(() => Number(document.querySelector('.long .row').ariaPosInSet ?? document.querySelector('.long .row').getAttribute('aria-posinset')) > 4000);
  const drawn = await page.locator('.long .row').count();
  assert.ok(drawn < 60, `${drawn} rows are drawn`);
  await page.context().close();
  return { drawn, scrolledMs: Date.now() - begun };
}
