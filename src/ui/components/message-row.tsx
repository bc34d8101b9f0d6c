import { type MouseEvent, memo } from 'react';
import { formatOctets } from '../format.ts';
import { selectRange, toggle } from '../mail.ts';
import { focusItemSoon } from '../mail-places.ts';
import { mailTexts } from '../mail-texts.ts';
import { type ListRow, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { CopyButton } from './copy-button.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { When } from './time.tsx';

interface MessageRowProps {
  readonly row: ListRow;
  readonly to: string;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  /** In the list of all mail: whose it is. */
  readonly showsAccount: boolean;
}

/** The row that was chosen last: Shift chooses from there. */
let anchor: string | undefined;

export const MessageRow = memo(function MessageRow({ row, to, isOpen, isSelected, showsAccount }: MessageRowProps) {
  const subject = visibleText(row.subject) || texts.mail.noSubject;
  const choose = (event: MouseEvent): void => {
    if (event.shiftKey && anchor !== undefined && !isSelected) selectRange(anchor, row.id);
    else toggle(row.id);
    anchor = row.id;
  };
  // The first of a thread says how many there are; the others stand below it.
  const thread = row.copy?.thread;
  const isBelow = thread !== null && thread !== undefined && thread.id !== row.copy?.uid;
  const classes = [
    'row',
    ...(row.read ? [] : ['unread']),
    ...(isOpen ? ['open'] : []),
    ...(isSelected ? ['selected'] : []),
    ...(isBelow ? ['below'] : []),
  ];
  return (
    <li className={classes.join(' ')} data-row={row.id}>
      <label className="box">
        <input
          type="checkbox"
          checked={isSelected}
          aria-label={texts.mail.select(subject)}
          onClick={choose}
          onChange={() => undefined}
        />
      </label>
      <span className="unread-dot" aria-hidden="true" />
      <Link
        className="row-link"
        to={to}
        aria-current={isOpen ? 'true' : undefined}
        onClick={(event) => {
          // From the keyboard the reader goes where the message opens; with the pointer it is in sight anyway.
          if (event.detail === 0) focusItemSoon();
        }}
      >
        {row.read ? null : <span className="visually-hidden">{texts.mail.unread}: </span>}
        <span className="row-from" dir="auto">
          <Sender row={row} />
        </span>
        <span className="row-subject" dir="auto">
          {subject}
        </span>
        <span className="row-snippet" dir="auto">
          {visibleText(row.snippet)}
        </span>
        <span className="row-time">
          <When at={row.receivedAt} />
        </span>
      </Link>
      <span className="row-facts">
        {showsAccount ? <Recipients recipients={row.recipients} /> : null}
        {thread && thread.messages > 1 && !isBelow ? (
          <span className="fact thread-size">
            <Icon name="threads" />
            <span aria-hidden="true">{thread.messages}</span>
            <span className="visually-hidden">{mailTexts.thread(thread.messages)}</span>
          </span>
        ) : null}
        {row.copy ? <RowFlags flags={row.copy.flags} /> : null}
        {row.tags.map((tag) => (
          <span key={tag} className="fact tag">
            <bdi>{visibleName(tag)}</bdi>
          </span>
        ))}
        <Copyable row={row} />
        {row.attachments === 0 ? null : (
          <span className="fact">
            <Icon name="attachment" />
            <span aria-hidden="true">{row.attachments}</span>
            <span className="visually-hidden">{texts.mail.attachments(row.attachments)}</span>
          </span>
        )}
        <span className="fact size">{formatOctets(row.size)}</span>
      </span>
    </li>
  );
});

const FLAG_ICONS = [
  ['\\Flagged', 'flag', mailTexts.copies.flagged],
  ['\\Answered', 'reply', mailTexts.copies.answered],
  ['$Forwarded', 'forward', mailTexts.copies.forwarded],
  ['\\Draft', 'drafts', mailTexts.copies.draft],
] as const;

function RowFlags({ flags }: { readonly flags: readonly string[] }) {
  return FLAG_ICONS.map(([flag, icon, words]) =>
    flags.some((each) => each.toLowerCase() === flag.toLowerCase()) ? (
      <span key={flag} className={`fact ${icon}`}>
        <Icon name={icon} />
        <span className="visually-hidden">{words}</span>
      </span>
    ) : null,
  );
}

function Sender({ row }: { readonly row: ListRow }) {
  const address = row.from?.address ?? row.reversePath;
  const name = row.from?.name ?? '';
  if (name === '' && address === '') return <span className="name">{texts.mail.noSender}</span>;
  if (name === '') return <bdi className="name">{visibleName(address)}</bdi>;
  return (
    <>
      <bdi className="name">{visibleName(name)}</bdi> <bdi className="address">{visibleName(address)}</bdi>
    </>
  );
}

/** What testers look for: the code of a message, else its first link. */
function Copyable({ row: { code, link } }: { readonly row: ListRow }) {
  if (code !== null) {
    return (
      <CopyButton className="chip" text={code} label={texts.mail.code(visibleName(code))}>
        <bdi>{visibleName(code)}</bdi>
      </CopyButton>
    );
  }
  if (link === null) return null;
  return (
    <CopyButton className="chip" text={link} label={texts.mail.linkLabel(visibleName(link))}>
      {texts.mail.link}
    </CopyButton>
  );
}

function Recipients({ recipients }: { readonly recipients: readonly string[] }) {
  const domain = useAppState(({ status }) => status?.defaultDomain);
  const [first] = recipients;
  if (first === undefined) return null;
  const at = first.lastIndexOf('@');
  const short = at > 0 && first.slice(at + 1) === domain ? first.slice(0, at) : first;
  return (
    <span className="fact recipient">
      <span className="visually-hidden">{texts.mail.to('')}</span>
      <span aria-hidden="true">→ </span>
      <bdi>{visibleName(short)}</bdi>
      {recipients.length > 1 ? ` ${texts.mail.more(recipients.length - 1)}` : ''}
    </span>
  );
}
