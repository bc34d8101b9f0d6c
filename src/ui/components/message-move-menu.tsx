import { useEffect, useId } from 'react';
import { mailTexts } from '../mail-texts.ts';
import { loadMailboxes, mailboxTree } from '../mailboxes.ts';
import { useAppState } from '../state.ts';
import { visibleName } from '../visible-text.ts';
import { mailboxIcon } from './accounts-pane.tsx';
import { Icon } from './icons.tsx';

interface MoveMenuProps {
  readonly account: string;
  /** Where it lies now. */
  readonly from: number;
  readonly move: (to: string) => void;
}

/** A button that shows where a message can go. */
export function MoveMenu({ account, from, move }: MoveMenuProps) {
  const id = useId();
  const mailboxes = useAppState((state) => state.mailboxes.get(account));
  const isKnown = mailboxes !== undefined;
  useEffect(() => {
    if (!isKnown) void loadMailboxes(account).catch(() => undefined);
  }, [account, isKnown]);
  return (
    <div className="menu-anchor">
      <button
        type="button"
        className="tool"
        popoverTarget={id}
        aria-label={mailTexts.copies.moveLabel}
        title={mailTexts.copies.moveLabel}
        disabled={!isKnown}
      >
        <Icon name="folder" />
      </button>
      <div id={id} className="menu move-menu" popover="auto" role="dialog" aria-label={mailTexts.copies.moveTo}>
        <h3 className="pane-label">{mailTexts.copies.moveTo}</h3>
        <ul>
          {mailboxTree(mailboxes ?? []).map(({ mailbox, label, depth }) => (
            <li key={mailbox.id} className={`level-${Math.min(depth, 6)}`}>
              <button
                type="button"
                className="account"
                disabled={mailbox.id === from}
                onClick={() => {
                  document.getElementById(id)?.hidePopover();
                  move(mailbox.name);
                }}
              >
                <Icon name={mailboxIcon(mailbox)} />
                <span className="account-name">
                  <bdi>{visibleName(label)}</bdi>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
