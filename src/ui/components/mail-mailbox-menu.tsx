import { useState } from 'react';
import { wordsOf } from '../api.ts';
import { askToExpunge } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { mailboxAddress } from '../mail-places.ts';
import { type Place, deleteMailbox, isTrash, useOf } from '../mailboxes.ts';
import { currentPlace, navigate, withQuery } from '../router.ts';
import { state, tell } from '../state.ts';
import { visibleName } from '../visible-text.ts';
import { MailboxDialog } from './mail-mailbox-dialog.tsx';
import { MenuItem, ToolMenu } from './tool-menu.tsx';

/** What can be done with the mailbox that is listed. */
export function MailboxMenu({ place, threads }: { readonly place: Place; readonly threads: boolean }) {
  const [dialog, setDialog] = useState<'create' | 'rename'>();
  const { account, mailbox } = place;
  const isInbox = useOf(mailbox) === 'inbox';
  return (
    <>
      <ToolMenu icon="more" words={mailTexts.mailbox.menu}>
        {(hide) => (
          <>
            <label className="account">
              <input
                type="checkbox"
                checked={threads}
                onChange={() => {
                  hide();
                  navigate(
                    withQuery('/mail', currentPlace().query, {
                      threads: threads ? undefined : '1',
                      page: undefined,
                      uid: undefined,
                    }),
                  );
                }}
              />
              {mailTexts.mailbox.threads}
            </label>
            <MenuItem
              words={mailTexts.mailbox.createBelow}
              act={() => {
                hide();
                setDialog('create');
              }}
            />
            {isInbox ? null : (
              <>
                <MenuItem
                  words={mailTexts.mailbox.rename}
                  act={() => {
                    hide();
                    setDialog('rename');
                  }}
                />
                {isTrash(mailbox) ? (
                  <MenuItem
                    words={mailTexts.mailbox.emptyNow}
                    act={() => {
                      hide();
                      askToExpunge(place, { query: '', account }, mailbox.messages);
                    }}
                  />
                ) : null}
                <MenuItem
                  words={mailTexts.mailbox.remove}
                  act={() => {
                    hide();
                    askToDelete(place);
                  }}
                />
              </>
            )}
          </>
        )}
      </ToolMenu>
      {dialog === undefined ? null : (
        <MailboxDialog
          account={account}
          mailbox={dialog === 'rename' ? mailbox : undefined}
          {...(dialog === 'create' && { above: mailbox.name })}
          close={() => setDialog(undefined)}
        />
      )}
    </>
  );
}

function askToDelete(place: Place): void {
  const { account, mailbox } = place;
  const name = visibleName(mailbox.name);
  state.update({
    question: {
      title: mailTexts.mailbox.removeTitle(name),
      text: mailTexts.mailbox.removeText(mailbox.messages),
      confirm: mailTexts.mailbox.removeConfirm,
      act: () => {
        deleteMailbox(place).then(
          () => {
            tell('done', mailTexts.mailbox.deleted(name));
            navigate(mailboxAddress(currentPlace().query, account, 'INBOX'), { replace: true });
          },
          (error: unknown) => tell('failed', wordsOf(error)),
        );
      },
    },
  });
}
