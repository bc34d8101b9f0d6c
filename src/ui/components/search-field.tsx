import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { currentPlace, navigate, usePlace, withQuery } from '../router.ts';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

/** Enough for a pause in typing: a word that is half written is seldom meant. */
const TYPING_MS = 400;
const ID = 'search';

export function focusSearch(): boolean {
  const field = document.getElementById(ID);
  if (!(field instanceof HTMLInputElement)) return false;
  field.focus();
  field.select();
  return true;
}

/** Mail: the server's search. Wire: a filter over what is listed. Either stands in the address. */
export function SearchField() {
  const { route, query } = usePlace();
  const wanted = query.get('q') ?? '';
  const [text, setText] = useState(wanted);
  const timer = useRef<number | undefined>(undefined);
  const problem = useAppState(({ list }) =>
    list.phase === 'failed' && list.wish?.query !== '' ? list.problem : undefined,
  );
  const kind = route.name === 'wire' ? 'wire' : 'mail';
  useEffect(() => {
    window.clearTimeout(timer.current);
    setText(wanted);
  }, [wanted, kind]);

  const search = (value: string): void => {
    window.clearTimeout(timer.current);
    const { route: now, query: before } = currentPlace();
    if ((before.get('q') ?? '') === value.trim()) return;
    const path = now.name === 'wire' ? '/wire' : '/mail';
    navigate(withQuery(path, before, { q: value.trim(), page: undefined, view: undefined }), {
      replace: before.has('q'),
    });
  };
  const type = (value: string): void => {
    setText(value);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => search(value), TYPING_MS);
  };
  const leave = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.currentTarget.blur();
  };
  const isWrong = kind === 'mail' && problem !== undefined;
  return (
    <search className="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text);
        }}
      >
        <Icon name="search" />
        <input
          id={ID}
          type="text"
          inputMode="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          dir="auto"
          value={text}
          aria-label={texts.search.label[kind]}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'search-problem' : undefined}
          placeholder={texts.search[kind]}
          onChange={(event) => type(event.currentTarget.value)}
          onKeyDown={leave}
        />
        {text === '' ? (
          <kbd aria-hidden="true">/</kbd>
        ) : (
          <button
            type="button"
            className="tool small"
            aria-label={texts.search.clear}
            onClick={() => {
              setText('');
              search('');
              focusSearch();
            }}
          >
            <Icon name="close" />
          </button>
        )}
      </form>
    </search>
  );
}
