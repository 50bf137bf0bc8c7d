// The finding of a check that somebody asked for: in, when it was asked for and what is known since; out, its attempt. Pure.

/** The first attempt that ended after it was asked for; of the scheduler's checks the last one is known. */
export function found({ index, madeBy, askedAt }, past, checks) {
  const from = Date.parse(askedAt);
  if (madeBy === 'scheduler') {
    const last = checks.find((check) => check.index === index)?.lastAttempt;
    return last && Date.parse(last.at) >= from ? { kind: last.kind, seconds: last.durationSeconds } : null;
  }
  // The only check of a task has no id.
  const attempts = past.find(({ id }) => id === undefined || id === String(index))?.attempts ?? [];
  const made = attempts.find(({ startedMs, durationUs }) => startedMs + Math.trunc(durationUs / 1000) >= from);
  return made ? { kind: made.kind, code: made.code, seconds: made.durationUs / 1e6 } : null;
}
