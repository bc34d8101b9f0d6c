import { useEffect } from 'react';
import { state, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

const SHOWN_MS = 6000;
/** What can be taken back stays longer. */
const UNDO_MS = 15_000;

/** What was done, or could not be. */
export function NoticeLine() {
  const notice = useAppState((shown) => shown.notice);
  const putAway = (): void => state.update({ notice: undefined });
  useEffect(() => {
    if (notice?.type !== 'done') return;
    const timer = window.setTimeout(putAway, notice.undo ? UNDO_MS : SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [notice]);
  return (
    <div className="notice-place">
      <div role="status">
        {notice?.type === 'done' ? (
          <p className="notice" key={notice.number}>
            <Icon name="check" />
            {notice.text}
            {notice.undo ? (
              <button
                type="button"
                className="undo"
                onClick={() => {
                  putAway();
                  notice.undo?.();
                }}
              >
                {texts.undo}
              </button>
            ) : null}
          </p>
        ) : null}
      </div>
      <div role="alert">
        {notice?.type === 'failed' ? (
          <p className="notice failed" key={notice.number}>
            <Icon name="warning" />
            {notice.text}
            <button type="button" className="tool small" aria-label={texts.dismiss} onClick={putAway}>
              <Icon name="close" />
            </button>
          </p>
        ) : null}
      </div>
    </div>
  );
}
