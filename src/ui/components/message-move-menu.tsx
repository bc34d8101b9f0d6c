import { useEffect } from 'react';
import { mailTexts } from '../mail-texts.ts';
import { loadMailboxes, mailboxTree } from '../mailboxes.ts';
import { useAppState } from '../state.ts';
import { visibleName } from '../visible-text.ts';
import { mailboxIcon } from './accounts-pane.tsx';
import { Icon } from './icons.tsx';
import { ToolMenu } from './tool-menu.tsx';

interface MoveMenuProps {
  readonly account: string;
  /** Where it lies now. */
  readonly from: number;
  readonly move: (to: string) => void;
}

/** A button that shows where a message can go. */
export function MoveMenu({ account, from, move }: MoveMenuProps) {
  const mailboxes = useAppState((state) => state.mailboxes.get(account));
  const isKnown = mailboxes !== undefined;
  useEffect(() => {
    if (!isKnown) void loadMailboxes(account).catch(() => undefined);
  }, [account, isKnown]);
  return (
    <ToolMenu
      icon="folder"
      words={mailTexts.copies.moveLabel}
      title={mailTexts.copies.moveTo}
      menuClass="move-menu"
      disabled={!isKnown}
    >
      {(hide) => (
        <>
          <h3 className="pane-label">{mailTexts.copies.moveTo}</h3>
          <ul>
            {mailboxTree(mailboxes ?? []).map(({ mailbox, label, depth }) => (
              <li key={mailbox.id} className={`level-${Math.min(depth, 6)}`}>
                <button
                  type="button"
                  className="account"
                  disabled={mailbox.id === from}
                  onClick={() => {
                    hide();
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
        </>
      )}
    </ToolMenu>
  );
}
