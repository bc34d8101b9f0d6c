import { type SubmitEvent, useId, useState } from 'react';
import { setFlags } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import type { CopyState } from '../state.ts';
import { visibleName } from '../visible-text.ts';
import { Icon } from './icons.tsx';

const SYSTEM = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '\\Deleted'] as const;

export function flagName(flag: string): string {
  const known = SYSTEM.find((each) => each.toLowerCase() === flag.toLowerCase());
  return known ? mailTexts.flags.names[known] : visibleName(flag);
}

/** \Recent is this session's alone. */
export const shownFlags = (flags: readonly string[]): readonly string[] =>
  flags.filter((flag) => flag.toLowerCase() !== '\\recent');

/** The flags and keywords of a message where it lies: each can be taken away, others given. */
export function MessageFlags({ copy, flags }: { readonly copy: CopyState; readonly flags: readonly string[] }) {
  const id = useId();
  const [keyword, setKeyword] = useState('');
  const which = { ids: [String(copy.uid)] };
  const has = (flag: string): boolean => flags.some((each) => each.toLowerCase() === flag.toLowerCase());
  const toggle = (flag: string): void => void setFlags(copy, which, has(flag) ? [] : [flag], has(flag) ? [flag] : []);
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    void setFlags(copy, which, [keyword.trim()], []);
    setKeyword('');
  };
  const shown = shownFlags(flags);
  return (
    <div className="flag-list">
      {shown.length === 0 ? <span className="muted">{mailTexts.flags.none}</span> : null}
      {shown.map((flag) => (
        <span key={flag} className="chip flag-chip">
          <bdi>{flagName(flag)}</bdi>
          <button
            type="button"
            className="remove"
            aria-label={mailTexts.flags.remove(flagName(flag))}
            onClick={() => toggle(flag)}
          >
            <Icon name="close" />
          </button>
        </span>
      ))}
      <div className="menu-anchor">
        <button
          type="button"
          className="tool small"
          popoverTarget={id}
          aria-label={mailTexts.flags.menu}
          title={mailTexts.flags.menu}
        >
          <Icon name="tag" />
        </button>
        <div id={id} className="menu" popover="auto" role="dialog" aria-label={mailTexts.flags.menu}>
          <fieldset>
            <legend>{mailTexts.flags.label}</legend>
            {SYSTEM.map((flag) => (
              <label key={flag}>
                <input type="checkbox" checked={has(flag)} onChange={() => toggle(flag)} />
                {mailTexts.flags.names[flag]} <code className="muted">{flag}</code>
              </label>
            ))}
          </fieldset>
          <form className="add-word" onSubmit={add}>
            <label htmlFor={`${id}-keyword`}>{mailTexts.flags.keyword}</label>
            <input
              id={`${id}-keyword`}
              className="field"
              type="text"
              autoComplete="off"
              spellCheck={false}
              required
              maxLength={200}
              pattern={'[A-Za-z0-9$_.\\-]+'}
              title={mailTexts.flags.keywordHint}
              value={keyword}
              onChange={(event) => setKeyword(event.currentTarget.value)}
            />
            <button type="submit" className="button small">
              {mailTexts.flags.add}
            </button>
          </form>
        </div>
      </div>
    </div>
  );
}
