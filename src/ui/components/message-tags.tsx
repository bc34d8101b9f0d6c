import { useId } from 'react';
import { send } from '../api.ts';
import { orTell } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { withQuery } from '../router.ts';
import { visibleName } from '../visible-text.ts';
import { AddWord } from './add-word.tsx';
import { Link } from './link.tsx';
import { RemovableChip } from './removable-chip.tsx';

/** The tags of an accepted message, whatever becomes of its copies. The news of the change bring them. */
export function MessageTags({ id, tags }: { readonly id: string; readonly tags: readonly string[] }) {
  const menu = useId();
  const store = (next: readonly string[]): void => {
    void orTell(async () => {
      await send('PUT', `/messages/${encodeURIComponent(id)}/tags`, { tags: next });
    });
  };
  const add = (tag: string): void => {
    document.getElementById(menu)?.hidePopover();
    store([...tags, tag]);
  };
  return (
    <div className="flag-list">
      {tags.map((each) => (
        <RemovableChip
          key={each}
          words={mailTexts.tags.remove(each)}
          remove={() => store(tags.filter((other) => other !== each))}
        >
          <Link
            to={withQuery('/mail', new URLSearchParams(), { q: /\s/.test(each) ? `tag:"${each}"` : `tag:${each}` })}
            title={mailTexts.tags.search(each)}
          >
            <bdi>{visibleName(each)}</bdi>
          </Link>
        </RemovableChip>
      ))}
      <div className="menu-anchor">
        <button type="button" className="chip" popoverTarget={menu}>
          {mailTexts.tags.add}
        </button>
        <div id={menu} className="menu" popover="auto" role="dialog" aria-label={mailTexts.tags.add}>
          <AddWord
            label={mailTexts.tags.add}
            pattern={'[A-Za-z0-9_.@\\-]([A-Za-z0-9_.@\\- ]*[A-Za-z0-9_.@\\-])?'}
            hint={mailTexts.tags.hint}
            maxLength={100}
            add={add}
          />
        </div>
      </div>
    </div>
  );
}
