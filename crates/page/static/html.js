// Templates: what Preact and htm are called everywhere else.

import { Fragment, h, render } from './vendor/preact.js';
import htm from './vendor/htm.js';

export { useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/hooks.js';
export { Fragment, render };
export const html = htm.bind(h);
