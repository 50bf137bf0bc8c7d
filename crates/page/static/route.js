// The place on the page, as the part of the address behind '#': in, a string; out, a view and what it is of. Pure.

const VIEWS = ['app', 'instance', 'agents', 'deployments', 'events', 'edit'];

/** @returns {{view: string, of: string}} */
export function parse(hash) {
  const [view = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (!VIEWS.includes(view)) return { view: 'now', of: '' };
  return { view, of: rest.map(decoded).filter(Boolean).join('/') };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The link to a view of something; ids of apps keep their slashes. */
export function link(view, of = '') {
  const parts = of.split('/').filter(Boolean).map(encodeURIComponent);
  return `#/${[view === 'now' ? '' : view, ...parts].filter(Boolean).join('/')}`;
}

/** The app of an instance or a task, from its id: `shop_web.instance-…._app.1` is of `/shop/web`. */
export function appOf(id) {
  const name = id.replace(/\.instance-.*$/, '');
  return `/${name.replaceAll('_', '/')}`;
}
