import { useEffect, useState } from 'react';
import type { Feed } from '../feed.ts';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

export function LiveState({ feed, togglePause }: { readonly feed: Feed; readonly togglePause: () => void }) {
  const connection = useAppState((state) => state.connection);
  const isPaused = useAppState(({ paused }) => paused);
  const type = isPaused && connection.type === 'live' ? 'paused' : connection.type;
  const waits = connection.type === 'waiting' || connection.type === 'offline';
  return (
    <>
      <span className={`feed-state ${type}`}>
        <span className="dot" aria-hidden="true" />
        <span className="word" role="status">
          {type === 'waiting' || type === 'connecting' ? '' : texts.live[type]}
        </span>
        {connection.type === 'waiting' ? <Countdown until={connection.retryAt} /> : null}
        {type === 'connecting' ? <span className="word">{texts.live.connecting}</span> : null}
      </span>
      {waits ? (
        <button type="button" className="button small" onClick={() => feed.retry()}>
          {texts.live.retry}
        </button>
      ) : (
        <button
          type="button"
          className="tool"
          aria-label={isPaused ? texts.live.resume : texts.live.pause}
          onClick={togglePause}
        >
          <Icon name={isPaused ? 'play' : 'pause'} />
        </button>
      )}
    </>
  );
}

function Countdown({ until }: { readonly until: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 250);
    return () => window.clearInterval(timer);
  }, []);
  return <span className="word">{texts.live.reconnecting(Math.max(0, Math.ceil((until - now) / 1000)))}</span>;
}
