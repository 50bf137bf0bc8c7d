// The differences of two definitions, value by value, as the API tells it.

import { html } from './html.js';

const shown = (value) => (value === undefined ? 'nothing' : JSON.stringify(value));

export function Differences({ diff }) {
  if (!diff.length) return html`<p class="quiet">Nothing differs.</p>`;
  return html`<ul class="diff">${diff.map(({ app, path, before, after }) => html`<li key=${`${app}${path}`}>
    <span>${path}</span> <del>${shown(before)}</del> <ins>${shown(after)}</ins></li>`)}</ul>`;
}
