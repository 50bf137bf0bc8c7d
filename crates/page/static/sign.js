// How something is, as a shape, a colour and a word: never by colour alone.

import { html } from './html.js';

const SHAPES = { healthy: '●', running: '●', unhealthy: '✕', held: '‖', failed: '✕', lost: '?', unchecked: '?', waiting: '◌', deploying: '◔', grace: '◐', starting: '◔', ending: '◔', paused: '‖', unknown: '◌' };
const WORDS = { grace: 'in grace', held: 'unhealthy, held', failed: 'failed', lost: 'not heard of', unchecked: 'healthy, but not checked' };

const word = (state) => WORDS[state] ?? state;

/** In the words of the API, where it has some. */
export const Sign = ({ state, text }) =>
  html`<span class=${`sign ${state}`}><span aria-hidden="true">${SHAPES[state] ?? '●'}</span> ${text ?? word(state)}</span>`;
