// Attempts of a check as columns for a chart, by phase: in, its history; out, the moments in order, for each phase when it
// had ended, and those that failed; and how long phases take. Pure.

/** In their order; each ends at a moment that an attempt tells of, and the rest with the attempt. */
export const PHASES = [
  { end: 'started', name: 'start' },
  { end: 'connected', name: 'connect' },
  { end: 'secured', name: 'TLS' },
  { end: 'answered', name: 'first byte' },
  { end: 'rest', name: 'rest' },
];

const seconds = ({ durationUs: micros }) => micros / 1e6;

/** The end of each phase in seconds; of one that was not reached that of the phase before. */
function ends(attempt) {
  let last = 0;
  const within = (at) => (last = Math.min(Math.max(at, last), seconds(attempt)));
  return PHASES.map(({ end }) => within(end === 'rest' ? seconds(attempt) : (attempt.phases?.[end] ?? last)));
}

/** The later phases first, so that the earlier are drawn over them. */
export function columns({ attempts }) {
  const all = [...attempts].sort((one, other) => one.startedMs - other.startedMs);
  const reached = all.map(ends);
  return [
    all.map(({ startedMs: at }) => at / 1000),
    ...PHASES.map((_, phase) => reached.map((of) => of[phase])).reverse(),
    all.map((attempt) => (attempt.kind === 'success' ? null : seconds(attempt))),
  ];
}

/** Half of the attempts that reached a phase had it behind them in so many seconds; of phases that none reached nothing. */
export function medians({ attempts }) {
  const reached = attempts.map(ends);
  return PHASES.flatMap(({ end, name }, phase) => {
    const spans = reached.filter((_, at) => end === 'rest' || attempts[at].phases?.[end] != null).map((of) => of[phase] - (of[phase - 1] ?? 0));
    spans.sort((one, other) => one - other);
    return spans.length ? [{ end, name, seconds: spans[(spans.length - 1) >> 1] }] : [];
  });
}
