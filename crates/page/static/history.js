// The last attempts of running tasks, asked of their executors: as bars, with what half and nearly all of them took.

import * as api from './api.js';
import { Chart } from './chart.js';
import { Bar } from './ended.js';
import { Fragment, html } from './html.js';
import { useRegularly } from './live.js';
import { link } from './route.js';
import { Trouble } from './state.js';
import { latency } from './time.js';

/** Each is a question to an agent: so many of the worst. */
const SHOWN = 5;

/** The histories of some instances of an app, the worst. */
export function Histories({ rows }) {
  const asked = rows.filter(({ task, health }) => task && health.checks?.length);
  if (!asked.length) return null;
  return html`<section aria-label="Last attempts"><h2>Last attempts</h2>
    <ul class="checks">${asked.slice(0, SHOWN).map((row) => html`<li key=${row.task}><${Attempts} row=${row} /></li>`)}</ul>
    ${asked.length > SHOWN && html`<p class="quiet">Of the ${SHOWN} that are worst; the others have theirs in their own view.</p>`}</section>`;
}

function Attempts({ row }) {
  const { data: checks = [] } = useRegularly(() => api.history(row.task), row.task);
  return html`<a href=${link('instance', row.id)}>${row.place || row.id}</a><${Bars} checks=${checks} />`;
}

/** The history of one task, with a chart for each check; of which container, if there are several. */
export function History({ task, of }) {
  const { data: checks = [], error } = useRegularly(() => api.history(task), task);
  return html`<section aria-label=${of ? `Last attempts of ${of}` : 'Last attempts'}><h2>Last attempts</h2><${Trouble} error=${error} />
    ${checks.map((check, place) => html`<${Fragment} key=${place}><${Bars} checks=${[check]} />
      ${check.attempts.length > 1 && html`<${Chart} check=${check} />`}<//>`)}</section>`;
}

const Bars = ({ checks }) => checks.map((check, place) => html`<div class="bar history-of" key=${place}><${Bar} check=${check} />
  ${check.p50Seconds != null && html`<small>p50 ${latency(check.p50Seconds)}, p99 ${latency(check.p99Seconds)}</small>`}</div>`);
