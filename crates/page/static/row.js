// One row, five answers: how it is, since when, why, what is done next and when, what was before.

import { Ago, Until } from './clock.js';
import { html } from './html.js';
import { Sign } from './sign.js';

export const HEADINGS = ['How it is', 'Since', 'Why', 'What is next', 'Before'];

export function Row({ row, name, href }) {
  const answers = [
    html`<${Sign} state=${row.state} text=${row.text} /><a class="name" href=${href}>${name}</a>`,
    html`<${Ago} at=${row.since} />`,
    row.why && html`<span title=${row.why}>${row.why}</span>`,
    row.next && html`<${Next} next=${row.next} />`,
    row.before && html`<span>${row.before.text} <small><${Ago} at=${row.before.at} /> ago</small></span>`,
  ];
  return answers.map((answer, place) => html`<div class="answer" data-label=${HEADINGS[place]}>${answer || html`<span class="none">–</span>`}</div>`);
}

export const Next = ({ next }) =>
  html`<span title=${next.text}>${next.text}${next.at && html` <small class="when"><${Until} at=${next.at} link=${next.link} /></small>`}</span>`;

export const Headings = () => html`<div class="headings" aria-hidden="true">${HEADINGS.map((heading) => html`<span>${heading}</span>`)}</div>`;
