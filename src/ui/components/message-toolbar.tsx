import { type ReactNode, Suspense, lazy, useState } from 'react';
import type { HandedIn } from '../../http/schemas/compose.ts';
import type { Message } from '../../http/schemas/messages.ts';
import { downloadPath, post } from '../api.ts';
import { askToRemove, askToExpunge, bringBack, mark, moveMessages, orTell, setFlags, trash } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { type WriteKind, leaveRemoved, openRow, writeAddress } from '../mail-places.ts';
import { isTrash } from '../mailboxes.ts';
import { usePlace } from '../router.ts';
import { type CopyState, tell } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon, type IconName } from './icons.tsx';
import { Link } from './link.tsx';
import { MoveMenu } from './message-move-menu.tsx';
import { MenuItem, ToolMenu } from './tool-menu.tsx';

const CopyAs = lazy(async () => ({ default: (await import('./message-copy-as.tsx')).CopyAs }));

interface ToolbarProps {
  readonly message: Message;
  readonly copy: CopyState | undefined;
  readonly back: ReactNode;
}

export function MessageToolbar({ message, copy, back }: ToolbarProps) {
  return (
    <div className="message-tools" role="group" aria-label={mailTexts.actions.label}>
      {back}
      <Write kind="reply" icon="reply" words={mailTexts.actions.reply} />
      <Write kind="reply-all" icon="replyAll" words={mailTexts.actions.replyAll} />
      <Write kind="forward" icon="forward" words={mailTexts.actions.forward} />
      <span className="gap" />
      {copy?.message ? <CopyTools copy={copy} flags={copy.message.flags} /> : null}
      {!copy && message.transaction ? <TransactionTools message={message} id={message.transaction.id} /> : null}
      <span className="push" />
      <a
        className="tool"
        href={downloadPath(message.id)}
        download
        aria-label={texts.message.downloadLabel}
        title={texts.message.downloadLabel}
      >
        <Icon name="download" />
      </a>
      <More message={message} copy={copy} />
    </div>
  );
}

function Write({ kind, icon, words }: { readonly kind: WriteKind; readonly icon: IconName; readonly words: string }) {
  const { query } = usePlace();
  return (
    <Link className="tool" to={writeAddress(query, kind)} aria-label={words} title={words}>
      <Icon name={icon} />
    </Link>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly words: string;
  readonly act: () => void;
  readonly danger?: boolean;
  readonly pressed?: boolean;
}

function Tool({ icon, words, act, danger = false, pressed }: ToolProps) {
  return (
    <button
      type="button"
      className={danger ? 'tool danger' : 'tool'}
      aria-label={words}
      title={words}
      aria-pressed={pressed}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Where a message is accepted mail, all its copies are meant. */
function TransactionTools({ message, id }: { readonly message: Message; readonly id: string }) {
  const { query } = usePlace();
  const isRead = message.transaction?.read ?? true;
  const which = { ids: [id] };
  return (
    <>
      <Tool
        icon={isRead ? 'unread' : 'read'}
        words={isRead ? texts.mail.markUnread : texts.mail.markRead}
        act={() => void mark(which, !isRead)}
      />
      <Tool
        icon="trash"
        words={texts.mail.remove}
        danger
        act={() => askToRemove(which, 1, () => leaveRemoved(query, id))}
      />
    </>
  );
}

function CopyTools({ copy, flags }: { readonly copy: CopyState; readonly flags: readonly string[] }) {
  const { query } = usePlace();
  const which = { ids: [String(copy.uid)] };
  const isRead = flags.includes('\\Seen');
  const isFlagged = flags.includes('\\Flagged');
  const leave = (): void => leaveRemoved(query, openRow(query, String(copy.uid)));
  const change = (flag: string, has: boolean): void => void setFlags(copy, which, has ? [] : [flag], has ? [flag] : []);
  return (
    <>
      <Tool
        icon={isRead ? 'unread' : 'read'}
        words={isRead ? texts.mail.markUnread : texts.mail.markRead}
        act={() => change('\\Seen', isRead)}
      />
      <Tool
        icon="flag"
        words={isFlagged ? mailTexts.copies.unflag : mailTexts.copies.flag}
        pressed={isFlagged}
        act={() => change('\\Flagged', isFlagged)}
      />
      <MoveMenu
        account={copy.account}
        from={copy.mailbox.id}
        move={(to) => {
          leave();
          void moveMessages(copy, which, to);
        }}
      />
      {isTrash(copy.mailbox) ? (
        <>
          <Tool
            icon="restore"
            words={mailTexts.copies.restore}
            act={() => {
              leave();
              void bringBack(copy, which);
            }}
          />
          <Tool icon="trash" words={mailTexts.copies.expunge} danger act={() => askToExpunge(copy, which, 1, leave)} />
        </>
      ) : (
        <Tool
          icon="trash"
          words={mailTexts.copies.trash}
          danger
          act={() => {
            leave();
            void trash(copy, which);
          }}
        />
      )}
    </>
  );
}

function More({ message, copy }: { readonly message: Message; readonly copy: CopyState | undefined }) {
  const [copies, setCopies] = useState(false);
  return (
    <>
      <ToolMenu icon="more" words={mailTexts.actions.more}>
        {(hide) => (
          <>
            <MenuItem
              words={mailTexts.actions.copyAs}
              act={() => {
                hide();
                setCopies(true);
              }}
            />
            {message.transaction ? (
              <MenuItem
                words={mailTexts.actions.redeliver}
                act={() => {
                  hide();
                  void orTell(async () => {
                    const { reply } = (await post(`/messages/${message.id}/redeliver`, {})) as HandedIn;
                    tell('done', mailTexts.actions.redelivered(reply));
                  });
                }}
              />
            ) : null}
          </>
        )}
      </ToolMenu>
      {copies ? (
        <Suspense fallback={null}>
          <CopyAs message={message} copy={copy} close={() => setCopies(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
