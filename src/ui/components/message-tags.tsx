import { type SubmitEvent, useId, useState } from 'react';
import { send } from '../api.ts';
import { orTell } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { withQuery } from '../router.ts';
import { visibleName } from '../visible-text.ts';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';

/** The tags of an accepted message, whatever becomes of its copies. The news of the change bring them. */
export function MessageTags({ id, tags }: { readonly id: string; readonly tags: readonly string[] }) {
  const menu = useId();
  const [tag, setTag] = useState('');
  const store = (next: readonly string[]): void => {
    void orTell(async () => {
      await send('PUT', `/messages/${encodeURIComponent(id)}/tags`, { tags: next });
    });
  };
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    document.getElementById(menu)?.hidePopover();
    store([...tags, tag.trim()]);
    setTag('');
  };
  return (
    <div className="flag-list">
      {tags.map((each) => (
        <span key={each} className="chip flag-chip">
          <Link
            to={withQuery('/mail', new URLSearchParams(), { q: /\s/.test(each) ? `tag:"${each}"` : `tag:${each}` })}
            title={mailTexts.tags.search(each)}
          >
            <bdi>{visibleName(each)}</bdi>
          </Link>
          <button
            type="button"
            className="remove"
            aria-label={mailTexts.tags.remove(each)}
            onClick={() => store(tags.filter((other) => other !== each))}
          >
            <Icon name="close" />
          </button>
        </span>
      ))}
      <div className="menu-anchor">
        <button type="button" className="chip" popoverTarget={menu}>
          {mailTexts.tags.add}
        </button>
        <div id={menu} className="menu" popover="auto" role="dialog" aria-label={mailTexts.tags.add}>
          <form className="add-word" onSubmit={add}>
            <label htmlFor={`${menu}-tag`}>{mailTexts.tags.add}</label>
            <input
              id={`${menu}-tag`}
              className="field"
              type="text"
              autoComplete="off"
              spellCheck={false}
              required
              maxLength={100}
              pattern={'[A-Za-z0-9_.@\\-]([A-Za-z0-9_.@\\- ]*[A-Za-z0-9_.@\\-])?'}
              title={mailTexts.tags.hint}
              value={tag}
              onChange={(event) => setTag(event.currentTarget.value)}
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
