// The page in a real browser, against a scheduler that runs `/shop/web`: what a person sees of a fault, in every view,
// light and dark, wide and narrow. Usage: node browser.mjs HOST:PORT DIRECTORY_OF_TOOLS [DIRECTORY_FOR_SCREENSHOTS]

import assert from 'node:assert/strict';

import { actionsSayWhatTheyDo, agentsAreDrained, definitionsAreChanged, deploymentsAreTakenBack, deploymentsAreUndone, keysAreEnough } from './browser/actions.mjs';
import { causeIsSeen, eventsHaveLinks, theBrakeIsSeen } from './browser/faults.mjs';
import { checksAreMadeNow, everyPhaseIsDrawn, itsLogIsFollowed, podsAreShown } from './browser/instance.mjs';
import { browser } from './browser/opened.mjs';
import { everyViewIsFitForAll, tenThousandAreDrawnAsTheyAreSeen } from './browser/views.mjs';

const MOST_MS = 2000;

try {
  const tookMs = await causeIsSeen();
  await eventsHaveLinks();
  await everyViewIsFitForAll();
  const large = await tenThousandAreDrawnAsTheyAreSeen();
  await itsLogIsFollowed();
  await everyPhaseIsDrawn();
  await checksAreMadeNow();
  await podsAreShown();
  await keysAreEnough();
  await theBrakeIsSeen();
  await actionsSayWhatTheyDo();
  await definitionsAreChanged();
  await deploymentsAreTakenBack();
  await deploymentsAreUndone();
  await agentsAreDrained();
  console.log(JSON.stringify({ causeSeenMs: tookMs, ...large }));
  assert.ok(tookMs < MOST_MS, `the cause was seen after ${tookMs} ms`);
} catch (error) {
  for (const page of browser.contexts().flatMap((context) => context.pages()))
    console.error(`--- seen at ${page.url()} ---\n${await page.locator('body').innerText()}`);
  throw error;
} finally {
  await browser.close();
}
