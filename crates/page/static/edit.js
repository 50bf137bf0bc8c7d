// The view to write a definition: JSON, tried before it is sent, and shown as what it changes.

import * as api from './api.js';
import { ofPlan } from './consequence.js';
import { ask } from './dialog.js';
import { Differences } from './differences.js';
import { html, useEffect, useState } from './html.js';
import { link } from './route.js';

const FIRST = {
  id: '/hello',
  cmd: 'exec cygnet demo http --port $PORT0',
  instances: 1,
  cpus: 0.1,
  mem: 32,
  healthChecks: [{ name: 'answers', protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0 }],
};

const written = (definition) => JSON.stringify(definition, null, 2);

export function Edit({ of }) {
  const [text, write] = useState(of ? '' : written(FIRST));
  const [refused, refuse] = useState('');
  const refuseFor = ({ message }) => refuse(message);
  useEffect(() => {
    if (of) running(`/${of}`).then((definition) => write(written(definition)), refuseFor);
  }, [of]);
  const send = (event) => {
    event.preventDefault();
    refuse('');
    tried(of && `/${of}`, text).catch(refuseFor);
  };
  return html`<h1>${of ? `Edit /${of}` : 'New app'}</h1>
    <form onSubmit=${send}>
      <label for="definition">Definition</label>
      <textarea id="definition" spellcheck="false" value=${text} onInput=${(event) => write(event.target.value)}></textarea>
      ${refused && html`<p class="refused" role="alert">${refused}</p>`}
      <div class="actions"><a class="button" href=${of ? link('app', of) : link('now')}>Leave it</a><button class="main">See what it changes</button></div>
    </form>`;
}

/** The definition that is in force, without what only tells versions apart. */
async function running(id) {
  const { version } = await api.app(id);
  const { version: _, versionInfo: __, ...definition } = await api.version(id, version);
  return definition;
}

/** Has the API try the definition, and asks whether to send it. */
async function tried(id, text) {
  const wanted = JSON.parse(text);
  const send = (dry) => (id ? api.change(id, wanted, dry) : api.create(wanted, dry));
  const { plan, diff } = await send(true);
  const leave = () => (location.hash = link('app', id || wanted.id));
  const [title, verb] = id ? [`Change ${id}?`, 'Send'] : [`Create ${wanted.id}?`, 'Create'];
  ask({ title, verb, says: ofPlan(plan), more: id && html`<${Differences} diff=${diff} />`, act: () => send(false).then(leave) });
}
