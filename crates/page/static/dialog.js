// The one dialog: an action says what it will do before it is done, and how it went after. In: `ask` from anywhere. Out:
// the action done or not; refusals of the API stand in the dialog, in its words.

import { html, useLayoutEffect, useRef, useState } from './html.js';

let show = () => {};

/** @param {{title: string, says: string, verb: string, act: () => Promise, more?: any}} question */
export const ask = (question) => show(question);

export function Dialog() {
  const [question, put] = useState(null);
  const [refused, refuse] = useState('');
  const [busy, work] = useState(false);
  const element = useRef();
  show = put;
  useLayoutEffect(() => {
    refuse('');
    if (question) element.current.showModal();
  }, [question]);
  const close = () => element.current.close();
  // By then it may be open again, with the next question.
  const closed = () => element.current.open || put(null);
  const act = async (event) => {
    event.preventDefault();
    work(true);
    await question.act().then(close, (error) => refuse(error.message));
    work(false);
    dispatchEvent(new Event('changed'));
  };
  return html`<dialog ref=${element} aria-labelledby="asked" aria-describedby="says" onClose=${closed}>
    ${question &&
    html`<form onSubmit=${act}>
      <h2 id="asked">${question.title}</h2>
      <p id="says">${question.says}</p>
      ${question.more} ${refused && html`<p class="refused" role="alert">${refused}</p>`}
      <div class="actions">
        <button type="button" onClick=${close}>Leave it</button>
        <button class="main" disabled=${busy}>${question.verb}</button>
      </div>
    </form>`}
  </dialog>`;
}

/** A button that asks first. Among others it needs a key, or a button under somebody's finger becomes another one. */
export const Action = ({ label, disabled, ...question }) =>
  html`<button type="button" disabled=${disabled} onClick=${() => ask({ verb: label, ...question })}>${label}</button>`;
