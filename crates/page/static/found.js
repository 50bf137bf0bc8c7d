// The finding of a check that somebody asked for: in, when it was asked for and what is known since; out, its attempt. Pure.

/** The first attempt that began after it was asked for; of the scheduler's checks the last one is known, and its end, to the
 * millisecond. */
export function found({ index, madeBy, askedAt }, past, checks) {
  const from = Date.parse(askedAt);
  if (madeBy === 'scheduler') {
    const last = checks.find((check) => check.index === index)?.lastAttempt;
    return last && Date.parse(last.at) + 1 - (last.durationSeconds ?? 0) * 1000 > from ? { kind: last.kind, seconds: last.durationSeconds } : null;
  }
  // The only check of a task has no id.
  const attempts = past.find(({ id }) => id === undefined || id === String(index))?.attempts ?? [];
  const made = attempts.find(({ startedMs }) => startedMs >= from);
  return made ? { kind: made.kind, code: made.code, seconds: made.durationUs / 1e6 } : null;
}
