// A chart of how long attempts took, by check. In: histories. uPlot is asked for only once there is a chart to draw, and
// takes its colours from the legend, which is of the page.

import { html, useEffect, useRef } from './html.js';
import { latency } from './time.js';
import { columns } from './latencies.js';

const HEIGHT = 180;
let library;

/** The script and the sheet, once. */
function load() {
  library ??= new Promise((there, lost) => {
    const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/ui/vendor/uplot.css' });
    [sheet.onload, sheet.onerror] = [there, lost];
    document.head.append(sheet);
  }).then(() => import('./vendor/uplot.js'));
  // The next chart asks again.
  return library.catch((lost) => ((library = undefined), Promise.reject(lost)));
}

export function Chart({ checks }) {
  const drawn = checks.filter(({ attempts }) => attempts.length > 1);
  const names = drawn.map(({ name, id }) => name ?? `check ${id}`);
  const [place, legend, plot] = [useRef(), useRef(), useRef()];
  useEffect(() => {
    let over = false;
    const resize = () => plot.current?.setSize({ width: place.current.clientWidth, height: HEIGHT });
    addEventListener('resize', resize);
    load().then(({ default: UPlot }) => {
      if (!over) plot.current = new UPlot(options(place.current, legend.current, names.length), columns(drawn), place.current);
    }, () => {});
    return () => {
      over = true;
      removeEventListener('resize', resize);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names.join()]);
  useEffect(() => plot.current?.setData(columns(drawn)));
  return html`<div class="chart" role="img" aria-label=${`How long attempts took: ${checks.map(told).join('; ')}`}><div ref=${place}></div></div>
    <p ref=${legend} class="facts legend">${names.map((name) => html`<span><i></i>${name}</span>`)}<span class="bad"><i></i>failed</span></p>`;
}

const told = ({ name, p50Seconds: half }) => `${name ?? 'a check'}${half == null ? '' : `, half within ${latency(half)}`}`;

function options(place, legend, checks) {
  const ink = (index) => () => getComputedStyle(legend.querySelectorAll('i')[index]).backgroundColor;
  const quiet = () => getComputedStyle(legend).color;
  const line = (_, index) => ({ stroke: ink(index), width: 1.5, points: { show: false }, spanGaps: true });
  const failed = { stroke: ink(checks), paths: () => null, points: { show: true, size: 7, fill: ink(checks) } };
  const axis = { stroke: quiet, grid: { stroke: () => `color-mix(in srgb, ${quiet()} 20%, transparent)`, width: 1 }, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
    axes: [{ ...axis, size: 28, values: (_, at) => at.map(clock) }, { ...axis, size: 60, values: (_, seconds) => seconds.map(latency) }],
    series: [{}, ...Array.from({ length: checks }, line), failed],
  };
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString('en-GB');
