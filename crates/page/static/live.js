// The hooks for answers that stay fresh: `follow`, driven by the event stream or only by time, while the page is seen.

import { useEffect, useState } from './html.js';
import { follow } from './follow.js';
import { listen } from './stream.js';

/** The last answer to `ask` as `data`, beside the last `error` if it came later; anew when `about` changes. */
export const useLive = (ask, about) => useFollowed(ask, about, listen);

/** The same for what events say nothing of: asked for every few seconds. */
export const useRegularly = (ask, about) => useFollowed(ask, about, () => () => {});

function useFollowed(ask, about, listen) {
  const [answer, show] = useState({});
  useEffect(() => {
    show({});
    const keep = (next) => show((last) => ({ data: next.data ?? last.data, error: next.error }));
    const following = follow(ask, keep, { isSeen: () => !document.hidden });
    const { soon } = following;
    const deaf = listen(soon);
    addEventListener('changed', soon);
    document.addEventListener('visibilitychange', soon);
    return () => {
      following.stop();
      deaf();
      removeEventListener('changed', soon);
      document.removeEventListener('visibilitychange', soon);
    };
  }, [about]);
  return answer;
}
