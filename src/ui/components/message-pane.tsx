import { type ReactNode, useEffect } from 'react';
import type { Attachment, Message } from '../../http/schemas/messages.ts';
import { downloadPath, messagePath, partPath } from '../api.ts';
import { formatAbsolute, formatClock, formatCount, formatOctets } from '../format.ts';
import { backToList, leaveRemoved } from '../mail-places.ts';
import { askToRemove, mark, showMessage } from '../mail.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { useAppState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { Blank } from './blank.tsx';
import { CopyButton } from './copy-button.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { MessageHeaders } from './message-headers.tsx';
import { MessageHtml } from './message-html.tsx';
import { MessageParts } from './message-parts.tsx';
import { MessageSource } from './message-source.tsx';
import { MessageText } from './message-text.tsx';
import { AddressText, People } from './person.tsx';

const VIEWS = ['html', 'text', 'source', 'headers', 'parts'] as const;
type View = (typeof VIEWS)[number];

export function MessagePane({ id }: { readonly id: string }) {
  const { query } = usePlace();
  const shown = useAppState((state) => (state.message?.id === id ? state.message : undefined));
  const back = (
    <button type="button" className="tool back" aria-label={texts.message.back} onClick={() => backToList(query, id)}>
      <Icon name="back" />
    </button>
  );
  if (shown === undefined || (shown.phase === 'loading' && !shown.message)) {
    return (
      <div className="blank muted">
        {back}
        <p>{texts.mail.loading}</p>
      </div>
    );
  }
  if (shown.phase === 'gone') {
    return (
      <Blank title={texts.message.gone} text={texts.message.goneText}>
        <Link className="button" to={withQuery('/mail', query, { view: undefined })}>
          {texts.message.back}
        </Link>
      </Blank>
    );
  }
  if (!shown.message) {
    return (
      <Blank title={texts.message.failed} text={shown.problem}>
        <button type="button" className="button" onClick={() => showMessage(id)}>
          {texts.retry}
        </button>
      </Blank>
    );
  }
  return <OpenMessage key={id} message={shown.message} back={back} />;
}

function viewOf(message: Message, wanted: string | null): View {
  const found = VIEWS.find((view) => view === wanted);
  return found ?? (message.html ? 'html' : 'text');
}

function OpenMessage({ message, back }: { readonly message: Message; readonly back: ReactNode }) {
  const { query } = usePlace();
  const view = viewOf(message, query.get('view'));
  const available = VIEWS.filter((name) => name !== 'html' || message.html);
  const address = (name: View): string => withQuery(`/mail/${encodeURIComponent(message.id)}`, query, { view: name });
  useKeys({
    v: () => {
      const next = available[(available.indexOf(view) + 1) % available.length]!;
      navigate(address(next), { replace: true });
    },
  });
  useEffect(() => {
    document.getElementById('item')?.scrollTo({ top: 0 });
  }, [view]);
  const subject = visibleText(message.subject) || texts.mail.noSubject;
  return (
    <article className={`message view-${view}`}>
      <header className="message-header">
        <div className="message-title">
          {back}
          <h2 dir="auto">{subject}</h2>
          <MessageTools message={message} />
        </div>
        <MessageFacts message={message} />
        <Attachments message={message} />
        <nav className="tabs" aria-label={texts.message.views}>
          {available.map((name) => (
            <Link key={name} to={address(name)} replace aria-current={name === view ? 'true' : undefined}>
              {texts.message.view[name]}
            </Link>
          ))}
        </nav>
      </header>
      <ViewBody message={message} view={view} subject={subject} />
    </article>
  );
}

interface ViewBodyProps {
  readonly message: Message;
  readonly view: View;
  readonly subject: string;
}

function ViewBody({ message, view, subject }: ViewBodyProps) {
  switch (view) {
    case 'html':
      return message.html ? (
        <MessageHtml message={message} subject={subject} />
      ) : (
        <p className="blank muted">{texts.message.noHtml}</p>
      );
    case 'text':
      return <MessageText message={message} />;
    case 'source':
      return <MessageSource message={message} />;
    case 'headers':
      return <MessageHeaders message={message} />;
    case 'parts':
      return <MessageParts message={message} />;
  }
}

function MessageTools({ message }: { readonly message: Message }) {
  const { query } = usePlace();
  const which = { ids: [message.id] };
  const isRead = message.transaction?.read ?? true;
  const readLabel = isRead ? texts.mail.markUnread : texts.mail.markRead;
  return (
    <div className="message-tools">
      {message.transaction ? (
        <>
          <button
            type="button"
            className="tool"
            aria-label={readLabel}
            title={readLabel}
            onClick={() => void mark(which, !isRead)}
          >
            <Icon name={isRead ? 'unread' : 'read'} />
          </button>
          <button
            type="button"
            className="tool danger"
            aria-label={texts.mail.remove}
            title={texts.mail.remove}
            onClick={() => askToRemove(which, 1, () => leaveRemoved(query, message.id))}
          >
            <Icon name="trash" />
          </button>
        </>
      ) : null}
      <a
        className="tool"
        href={downloadPath(message.id)}
        download
        aria-label={texts.message.downloadLabel}
        title={texts.message.downloadLabel}
      >
        <Icon name="download" />
      </a>
    </div>
  );
}

function MessageFacts({ message }: { readonly message: Message }) {
  const { transaction } = message;
  const moment = message.date === null ? undefined : Date.parse(message.date);
  const { from, sender } = message;
  return (
    <>
      <dl className="facts">
        {from ? (
          <Fact name={texts.message.from}>
            <People people={[from]} />
          </Fact>
        ) : null}
        {sender && sender.address !== from?.address ? (
          <Fact name={texts.message.sender}>
            <People people={[sender]} />
          </Fact>
        ) : null}
        {(['to', 'cc', 'bcc', 'replyTo'] as const).map((field) =>
          message[field].length === 0 ? null : (
            <Fact key={field} name={texts.message[field]}>
              <People people={message[field]} />
            </Fact>
          ),
        )}
        <Fact name={texts.message.date}>
          {moment === undefined ? (
            <>
              {message.dateField === null ? '–' : <bdi>{visibleText(message.dateField)}</bdi>}{' '}
              <span className="muted">{message.dateField === null ? '' : texts.message.dateUnreadable}</span>
            </>
          ) : (
            <time dateTime={message.date ?? undefined}>{formatAbsolute(moment)}</time>
          )}
          <span className="muted"> · {texts.message.octets(message.size)}</span>
        </Fact>
        <Fact name={texts.message.arrived}>
          {transaction ? (
            <>
              <time dateTime={transaction.receivedAt}>{formatClock(Date.parse(transaction.receivedAt))}</time>{' '}
              {texts.message.by(serviceName(transaction.service), transaction.tls)}
              {transaction.conversation === null ? null : (
                <>
                  {' · '}
                  <Link to={`/wire/${transaction.conversation}`}>{texts.message.conversation}</Link>
                </>
              )}
            </>
          ) : (
            texts.message.appended
          )}
        </Fact>
        {message.code === null ? null : (
          <Fact name={texts.message.code}>
            <CopyButton className="chip" text={message.code} label={texts.mail.code(visibleName(message.code))}>
              <bdi>{visibleName(message.code)}</bdi>
            </CopyButton>
          </Fact>
        )}
      </dl>
      <details className="more-facts">
        <summary>{texts.message.details}</summary>
        <dl className="facts">
          {transaction ? (
            <Fact name={texts.message.envelope}>
              <bdi>
                {texts.message.envelopeText(
                  visibleName(transaction.reversePath),
                  transaction.forwardPaths.map((path) => visibleName(path.address)),
                )}
              </bdi>
            </Fact>
          ) : null}
          {message.copies.length === 0 ? null : (
            <Fact name={texts.message.copies}>
              {message.copies.map((copy) => (
                <span className="copy" key={`${copy.account} ${copy.mailbox} ${copy.uid}`}>
                  <AddressText address={copy.account} /> {visibleName(copy.mailboxName)}{' '}
                  <span className="muted">UID {formatCount(copy.uid)}</span>
                </span>
              ))}
            </Fact>
          )}
          <Fact name="API">
            <CopyButton
              className="chip"
              text={`${location.origin}${messagePath(message.id)}`}
              label={texts.message.copyApi(messagePath(message.id))}
            >
              <bdi>{messagePath(message.id)}</bdi>
            </CopyButton>
          </Fact>
        </dl>
      </details>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Attachments({ message }: { readonly message: Message }) {
  if (message.attachments.length === 0) return null;
  return (
    <ul className="attachments" aria-label={texts.message.attachments}>
      {message.attachments.map((attachment) => (
        <li key={attachment.partId}>
          <a className="chip" href={partPath(message.id, attachment.partId)} download>
            <Icon name="attachment" />
            <bdi className="file-name">{nameOf(attachment)}</bdi>
            <span className="muted">
              {attachment.disposition === 'inline' ? `${texts.message.inline}, ` : ''}
              {formatOctets(attachment.size)}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function nameOf({ fileName, contentType }: Attachment): string {
  return fileName === '' ? `${texts.message.noName} (${contentType})` : visibleName(fileName);
}
