import type { ReactNode } from 'react';
import { texts as app } from '../texts.ts';
import type { Loaded } from '../load.ts';
import { texts } from './texts.ts';

/** What was loaded; until then, or if it could not be, what is going on. */
export function Shown<Value>({
  loaded,
  children,
}: {
  readonly loaded: Loaded<Value>;
  readonly children: (value: Value) => ReactNode;
}) {
  const { value, problem, reload } = loaded;
  return (
    <>
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}{' '}
          <button type="button" className="button small" onClick={reload}>
            {app.retry}
          </button>
        </p>
      )}
      {value === undefined ? problem === undefined ? <p className="muted">{texts.loading}</p> : null : children(value)}
    </>
  );
}
