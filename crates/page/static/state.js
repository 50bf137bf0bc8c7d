// The words where an answer is not there: yet, or at all.

import { html } from './html.js';

export const Trouble = ({ error }) => error && html`<p class="refused" role="alert">${error.message}</p>`;

export const Waiting = ({ error }) => (error ? html`<${Trouble} error=${error} />` : html`<p class="quiet">…</p>`);
