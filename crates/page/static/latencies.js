// Attempts as columns for a chart: in, the histories of checks; out, the moments in order, for each check the seconds
// that its attempt of that moment took, and those of failures. Pure.

export function columns(checks) {
  const attempts = checks.flatMap(({ attempts }, check) => attempts.map((attempt) => ({ ...attempt, check })));
  attempts.sort((one, other) => one.startedMs - other.startedMs);
  const seconds = ({ durationUs: micros }) => micros / 1e6;
  const of = (wanted) => attempts.map((attempt) => (wanted(attempt) ? seconds(attempt) : null));
  return [
    attempts.map(({ startedMs: at }) => at / 1000),
    ...checks.map((_, index) => of(({ check }) => check === index)),
    of(({ kind }) => kind !== 'success'),
  ];
}
