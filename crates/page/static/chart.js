// A chart of how long the attempts of a check took: a bar for each, its phases one on another. In: its history. uPlot is asked
// for only once there is a chart to draw, and takes its colours from the legend, which is of the page.

import { html, useEffect, useRef } from './html.js';
import { columns, medians, PHASES } from './latencies.js';
import { latency } from './time.js';

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

export function Chart({ check }) {
  const [place, legend, plot] = [useRef(), useRef(), useRef()];
  const latest = useRef();
  latest.current = columns(check);
  useEffect(() => {
    let over = false;
    const resize = () => plot.current?.setSize({ width: place.current.clientWidth, height: HEIGHT });
    addEventListener('resize', resize);
    load().then(({ default: UPlot }) => {
      if (!over) plot.current = new UPlot(options(UPlot, place.current, legend.current), latest.current, place.current);
    }, () => {});
    return () => {
      over = true;
      removeEventListener('resize', resize);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(latest.current));
  const typical = medians(check);
  return html`<div class="chart" role="img" aria-label=${told(check, typical)}><div ref=${place}></div></div>
    <p ref=${legend} class="facts legend">${PHASES.map(({ end, name }) => html`<${Phase} key=${end} end=${end} name=${name} typical=${typical} />`)}
      <span class="failed"><i></i>failed</span> <small>half of the attempts took no longer for it</small></p>`;
}

/** Its colour is there even where none reached it: the chart asks for it. */
function Phase({ end, name, typical }) {
  const found = typical.find((phase) => phase.end === end);
  return html`<span class=${end} hidden=${!found}><i></i>${typical.length > 1 ? name : 'whole attempt'} ${found && html`<small>${latency(found.seconds)}</small>`}</span>`;
}

function told({ name, attempts, p50Seconds: half }, typical) {
  const failed = attempts.filter(({ kind }) => kind !== 'success').length;
  const within = half == null ? [] : [`half within ${latency(half)}`];
  const phases = typical.length > 1 ? [`half of them by phase: ${typical.map((phase) => `${phase.name} ${latency(phase.seconds)}`).join(', ')}`] : [];
  return `How long attempts of ${name ?? 'the check'} took: ${[...within, ...phases, `${failed} of ${attempts.length} failed`].join('; ')}`;
}

function options(UPlot, place, legend) {
  const ink = (end) => () => getComputedStyle(legend.querySelector(`.${end} i`)).backgroundColor;
  const quiet = () => getComputedStyle(legend).color;
  const paths = UPlot.paths.bars({ size: [0.8, 24, 3] });
  const bars = ({ end }) => ({ fill: ink(end), width: 0, paths, points: { show: false } });
  const failed = { stroke: ink('failed'), paths: () => null, points: { show: true, size: 7, fill: ink('failed') } };
  const axis = { stroke: quiet, grid: { stroke: () => `color-mix(in srgb, ${quiet()} 20%, transparent)`, width: 1 }, ticks: { show: false } };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { range: withMargin }, y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
    axes: [{ ...axis, size: 28, values: (_, at) => at.map(clock) }, { ...axis, size: 60, values: (_, seconds) => seconds.map(latency) }],
    series: [{}, ...PHASES.map(bars).reverse(), failed],
  };
}

/** Half a bar at each end. */
function withMargin({ data: [at] }, from, to) {
  const margin = (to - from) / Math.max(1, at.length - 1) / 2;
  return [from - margin, to + margin];
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString('en-GB');
