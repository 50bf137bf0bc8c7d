// An answer of the API, kept fresh: asked for again after events and every few seconds, but never twice at a time, never so
// often that asking is all that is done, and not while nobody sees it. In: how to ask. Out: each answer to `show`.

const LEAST_MS = 250;
const IDLE_MS = 5000;

/** How long to wait with the next question, if the last one took so long: asking is at most half of what is done. Pure. */
export const pause = (tookMs) => Math.max(LEAST_MS, tookMs);

/** Starts; returns how to ask again soon, and how to stop. An answer that nobody sees is asked for once, and then after the next `soon`. */
export function follow(ask, show, { clock = globalThis, isSeen = () => true } = {}) {
  let [timer, busy, wanted, over] = [null, false, false, false];
  let [ended, took] = [-Infinity, 0];

  async function now() {
    [timer, busy, wanted] = [null, true, false];
    const begun = performance.now();
    const answer = await ask().then((data) => ({ data }), (error) => ({ error }));
    ended = performance.now();
    [took, busy] = [ended - begun, false];
    if (over) return;
    show(answer);
    wait(wanted ? pause(took) : Math.max(IDLE_MS, pause(took)));
  }

  function wait(ms) {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(due, ms);
  }

  function due() {
    [timer, wanted] = [null, false];
    if (isSeen()) now();
  }

  function soon() {
    if (over || !isSeen()) return;
    if (busy) wanted = true;
    else if (!wanted) {
      wanted = true;
      wait(Math.max(0, ended + pause(took) - performance.now()));
    }
  }

  now();
  return { soon, stop: () => ((over = true), clock.clearTimeout(timer)) };
}
