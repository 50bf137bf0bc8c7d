// Times as people read them: in, moments and `now` in milliseconds; out, words. Pure.

const UNITS = [
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** A span in its largest unit, or its two largest where one is coarse: "45 s", "1 h 5 min". */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const place = UNITS.findIndex(([, size]) => seconds >= size);
  if (place === -1) return '0 s';
  const [unit, size] = UNITS[place];
  const count = Math.floor(seconds / size);
  const finer = UNITS[place + 1];
  const rest = finer && Math.floor((seconds % size) / finer[1]);
  return count < 10 && rest ? `${count} ${unit} ${rest} ${finer[0]}` : `${count} ${unit}`;
}

export const since = (at, now) => span(now - Date.parse(at));

/** The time left to a moment: "in 12 s", or "now" once it has come; of what lasts until then, "for 12 s". */
export function until(at, now, link) {
  const left = Date.parse(at) - now;
  return left < 500 ? 'now' : `${link === 'until' ? 'for' : 'in'} ${span(left)}`;
}

/** A moment of today by its time, another by its date, too. */
export function moment(at, now) {
  const [time, today] = [new Date(at), new Date(now)];
  const clock = time.toLocaleTimeString('en-GB');
  return time.toDateString() === today.toDateString() ? clock : `${time.toLocaleDateString('en-CA')} ${clock}`;
}

/** How long an attempt took: "0.15 ms", "12 ms", "1.2 s". */
export function latency(seconds) {
  const ms = seconds * 1000;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}
