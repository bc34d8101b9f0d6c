import { type SubmitEvent, useState } from 'react';
import type { Mailbox } from '../../http/schemas/accounts.ts';
import { wordsOf } from '../api.ts';
import { mailTexts } from '../mail-texts.ts';
import { mailboxAddress } from '../mail-places.ts';
import { createMailbox, renameMailbox } from '../mailboxes.ts';
import { currentPlace, navigate } from '../router.ts';
import { tell } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';

interface MailboxDialogProps {
  readonly account: string;
  /** To be renamed; undefined: a new one. */
  readonly mailbox: Mailbox | undefined;
  /** What its name begins with. */
  readonly above?: string;
  readonly close: () => void;
}

export function MailboxDialog({ account, mailbox, above, close }: MailboxDialogProps) {
  const [name, setName] = useState(mailbox?.name ?? (above === undefined ? '' : `${above}/`));
  const [problem, setProblem] = useState<string>();
  const title = mailbox ? mailTexts.mailbox.renameTitle(visibleName(mailbox.name)) : mailTexts.mailbox.createTitle;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const done = mailbox ? renameMailbox({ account, mailbox }, name) : createMailbox(account, name);
    done.then(
      (made) => {
        close();
        tell('done', mailbox ? mailTexts.mailbox.renamed(made.name) : mailTexts.mailbox.created(made.name));
        navigate(mailboxAddress(currentPlace().query, account, made.name), { replace: mailbox !== undefined });
      },
      (error: unknown) => setProblem(wordsOf(error)),
    );
  };
  return (
    <Dialog label={title} className="question" close={close}>
      <form onSubmit={submit}>
        <h2>{title}</h2>
        <label className="labelled">
          {mailTexts.mailbox.nameLabel}
          <input
            className="field"
            type="text"
            autoComplete="off"
            spellCheck={false}
            maxLength={1000}
            required
            data-first
            aria-invalid={problem !== undefined}
            aria-describedby="mailbox-name-hint"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <p id="mailbox-name-hint" className="small-print">
          {mailTexts.mailbox.nameHint}
        </p>
        <Problem words={problem} />
        <p className="buttons">
          <button type="button" className="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" className="button primary">
            {mailbox ? mailTexts.mailbox.renameConfirm : mailTexts.mailbox.createConfirm}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
