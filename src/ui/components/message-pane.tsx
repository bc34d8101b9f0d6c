import { type ReactNode, Suspense, lazy, useEffect, useState } from 'react';
import type { Attachment, Message } from '../../http/schemas/messages.ts';
import { messagePath, partPath } from '../api.ts';
import { formatAbsolute, formatClock, formatOctets } from '../format.ts';
import { backToList, mailAddress, openRow } from '../mail-places.ts';
import { showMessage } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { type CopyState, useAppState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { Blank } from './blank.tsx';
import { CopyButton } from './copy-button.tsx';
import { Fact } from './facts.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { MessageCopies } from './message-copies.tsx';
import { MessageFlags } from './message-flags.tsx';
import { MessageHeaders } from './message-headers.tsx';
import { MessageHtml } from './message-html.tsx';
import { MessageParts } from './message-parts.tsx';
import { MessageSource } from './message-source.tsx';
import { MessageTags } from './message-tags.tsx';
import { MessageText } from './message-text.tsx';
import { MessageToolbar } from './message-toolbar.tsx';
import { People } from './person.tsx';

// Looked at by few, and not at once.
const MessageChecks = lazy(async () => ({ default: (await import('./message-checks.tsx')).MessageChecks }));
const MessageOthers = lazy(async () => ({ default: (await import('./message-others.tsx')).MessageOthers }));

const VIEWS = ['html', 'text', 'source', 'headers', 'parts', 'checks', 'others'] as const;
type View = (typeof VIEWS)[number];

export function MessagePane({ id }: { readonly id: string }) {
  const { query } = usePlace();
  const shown = useAppState((state) => (state.message?.id === id ? state.message : undefined));
  const back = (
    <button
      type="button"
      className="tool back"
      aria-label={texts.message.back}
      onClick={() => backToList(query, openRow(query, id))}
    >
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
  if (shown.phase === 'gone' || shown.phase === 'missing') {
    const [title, text] =
      shown.phase === 'gone'
        ? [texts.message.gone, texts.message.goneText]
        : [texts.message.missing, texts.message.missingText];
    return (
      <Blank title={title} text={text}>
        <Link className="button" to={mailAddress(query)}>
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
  return <OpenMessage key={id} id={id} message={shown.message} copy={shown.copy} back={back} />;
}

function viewOf(message: Message, wanted: string | null): View {
  const found = VIEWS.find((view) => view === wanted);
  return found ?? (message.html ? 'html' : 'text');
}

interface OpenMessageProps {
  readonly id: string;
  readonly message: Message;
  readonly copy: CopyState | undefined;
  readonly back: ReactNode;
}

function OpenMessage({ id, message, copy, back }: OpenMessageProps) {
  const { query } = usePlace();
  const view = viewOf(message, query.get('view'));
  const available = VIEWS.filter((name) => name !== 'html' || message.html);
  const address = (name: View): string => withQuery(`/mail/${encodeURIComponent(id)}`, query, { view: name });
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
        <MessageToolbar message={message} copy={copy} back={back} />
        <div className="message-title">
          <h2 dir="auto">{subject}</h2>
        </div>
        {copy && !copy.message ? <Gone message={message} /> : null}
        <MessageFacts message={message} copy={copy} />
        <Attachments message={message} />
        <nav className="tabs" aria-label={texts.message.views}>
          {available.map((name) => (
            <Link key={name} to={address(name)} replace aria-current={name === view ? 'true' : undefined}>
              {texts.message.view[name]}
            </Link>
          ))}
        </nav>
      </header>
      <ViewBody message={message} copy={copy} view={view} subject={subject} />
    </article>
  );
}

/** It was moved or deleted while it was open, or before. */
function Gone({ message }: { readonly message: Message }) {
  return (
    <p className="note" role="status">
      {mailTexts.copies.gone} {message.copies.length > 0 ? mailTexts.copies.nowIn : null}
      <MessageCopies emailId={message.emailId} copies={message.copies} />
    </p>
  );
}

interface ViewBodyProps {
  readonly message: Message;
  readonly copy: CopyState | undefined;
  readonly view: View;
  readonly subject: string;
}

function ViewBody({ message, copy, view, subject }: ViewBodyProps) {
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
    case 'checks':
      return (
        <Suspense fallback={<p className="blank muted">{texts.mail.loading}</p>}>
          <MessageChecks message={message} />
        </Suspense>
      );
    case 'others':
      return (
        <Suspense fallback={<p className="blank muted">{texts.mail.loading}</p>}>
          <MessageOthers key={copy?.uid} message={message} copy={copy} />
        </Suspense>
      );
  }
}

function MessageFacts({ message, copy }: { readonly message: Message; readonly copy: CopyState | undefined }) {
  const { transaction } = message;
  const moment = message.date === null ? undefined : Date.parse(message.date);
  const { from, sender } = message;
  return (
    <>
      <dl className="facts">
        <Fact name={texts.message.from}>
          {from && (from.name !== '' || from.address !== '') ? (
            <People people={[from]} />
          ) : (
            <span className="muted">{texts.mail.noSender}</span>
          )}
        </Fact>
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
              {message.dateField === null ? null : <bdi>{visibleText(message.dateField)} </bdi>}
              <span className="muted">
                {message.dateField === null ? texts.message.noDate : texts.message.dateUnreadable}
              </span>
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
              {' · '}
              <Link to={`/mail/${transaction.id}/journey`}>{mailTexts.actions.journey}</Link>
            </>
          ) : (
            texts.message.appended
          )}
        </Fact>
        {!transaction || copy ? null : (
          <Fact name={mailTexts.copies.lies}>
            <MessageCopies emailId={message.emailId} copies={message.copies} />
          </Fact>
        )}
        {copy?.message ? (
          <Fact name={mailTexts.flags.label}>
            <MessageFlags copy={copy} flags={copy.message.flags} />
          </Fact>
        ) : null}
        {transaction ? (
          <Fact name={mailTexts.tags.label}>
            <MessageTags id={transaction.id} tags={transaction.tags} />
          </Fact>
        ) : null}
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

/** So many are shown at first, as of the people. */
const FIRST_FILES = 8;

function Attachments({ message }: { readonly message: Message }) {
  const [isWhole, setWhole] = useState(false);
  const { attachments } = message;
  if (attachments.length === 0) return null;
  const shown = isWhole || attachments.length <= FIRST_FILES + 1 ? attachments : attachments.slice(0, FIRST_FILES);
  return (
    <ul className="attachments" aria-label={texts.message.attachments}>
      {shown.map((attachment) => (
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
      {shown.length === attachments.length ? null : (
        <li>
          <button type="button" className="button small plain" onClick={() => setWhole(true)}>
            {texts.message.moreAttachments(attachments.length - shown.length)}
          </button>
        </li>
      )}
    </ul>
  );
}

function nameOf({ fileName, contentType }: Attachment): string {
  return fileName === '' ? `${texts.message.noName} (${contentType})` : visibleName(fileName);
}
