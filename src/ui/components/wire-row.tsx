import { type ReactNode, memo } from 'react';
import { formatDuration } from '../format.ts';
import { texts } from '../texts.ts';
import { visibleLine, visibleName } from '../visible-text.ts';
import type { Annotation, Lens, LineRow, Side, TlsStep, WireRow } from '../wire-rows.ts';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';

const OCTETS_WORDS = {
  binary: texts.conversation.binary,
  handshake: texts.conversation.handshake,
  encrypted: texts.conversation.hidden,
  opaque: texts.conversation.opaque,
} as const;

interface WireRowItemProps {
  readonly row: WireRow;
  readonly lens: Lens;
  readonly isTarget: boolean;
  /** It came together with the row before. */
  readonly isSameMoment: boolean;
}

export const WireRowItem = memo(function WireRowItem({ row, lens, isTarget, isSameMoment }: WireRowItemProps) {
  const id = isSameMoment ? undefined : `e${row.seq}`;
  const target = isTarget ? ' target' : '';
  switch (row.type) {
    case 'line':
      return (
        <li id={id} className={`wire-row ${row.side}${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <Arrow side={row.side} />
          <span className="said">
            <Line row={row} lens={lens} />
          </span>
        </li>
      );
    case 'fold':
      return (
        <li id={id} className={`wire-row ${row.side}${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <Arrow side={row.side} />
          <details className="said">
            <summary>{texts.conversation.more(row.lines.length, row.octets)}</summary>
            {row.lines.map((line, index) => (
              <span className="folded" key={index}>
                <Line row={line} lens={lens} />
              </span>
            ))}
          </details>
        </li>
      );
    case 'octets':
      return (
        <li id={id} className={`wire-row ${row.side}${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <Arrow side={row.side} />
          <span className={`said opaque ${row.content}`}>
            {row.content === 'encrypted' ? <Icon name="lock" /> : null}
            {OCTETS_WORDS[row.content](row.octets)}
          </span>
        </li>
      );
    case 'tls':
      return (
        <li id={id} className={`wire-row band ${row.tls.step === 'failed' ? 'bad' : 'tls'}${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <span className="band-text">
            <Icon name={row.tls.step === 'failed' ? 'warning' : 'lock'} />
            {tlsWords(row.tls)}
          </span>
        </li>
      );
    case 'annotation':
      return (
        <li id={id} className={`wire-row note-row${isProblem(row.annotation) ? ' bad' : ''}${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <span className="band-text">
            {isProblem(row.annotation) ? <Icon name="warning" /> : null}
            <bdi>{annotationWords(row.annotation)}</bdi>
            {row.annotation.type === 'stored' ? (
              <>
                {' '}
                <Link to={`/mail/${row.annotation.transactionId}`}>{texts.conversation.annotations.openMessage}</Link>
              </>
            ) : null}
          </span>
        </li>
      );
    case 'silence':
      return (
        <li className="wire-row band silence">
          <span className="band-text">{texts.conversation.silence(row.ms)}</span>
        </li>
      );
    case 'closed':
      return (
        <li id={id} className={`wire-row band${target}`}>
          <At at={row.at} isSame={isSameMoment} />
          <span className="band-text">
            {texts.conversation.closedBy[row.by]}
            {texts.conversation.closedHow[row.how] ?? ''}
          </span>
        </li>
      );
  }
});

function At({ at, isSame }: { readonly at: number; readonly isSame: boolean }) {
  return (
    <span className="at">
      <span className={isSame ? 'visually-hidden' : undefined}>{formatDuration(at)}</span>
    </span>
  );
}

function Arrow({ side }: { readonly side: Side }) {
  return (
    <span className="arrow">
      <Icon name={side === 'client' ? 'toServer' : 'toClient'} />
      <span className="visually-hidden">{texts.conversation[side]}:</span>
    </span>
  );
}

function Line({ row, lens }: { readonly row: LineRow; readonly lens: Lens }) {
  return (
    <>
      <code dir="ltr">{withMarks(visibleLine(row.text, row.isOctets))}</code>
      {row.hasSecret ? <span className="visually-hidden"> {texts.conversation.secret}</span> : null}
      {row.hasSecret && lens === 'eavesdropper' ? (
        <span className="exposed">{texts.conversation.secretReadable}</span>
      ) : null}
      {row.end === 'lf' ? <span className="line-end">{texts.conversation.bareLf}</span> : null}
    </>
  );
}

/** How long a secret is, is nobody's business either: the marks are drawn as one block of fixed width. */
function withMarks(text: string): ReactNode[] {
  return text.split(/(•{3,})/).map((piece, index) =>
    index % 2 === 0 ? (
      piece
    ) : (
      <span className="veil" key={index}>
        •••••
      </span>
    ),
  );
}

function tlsWords(tls: TlsStep): string {
  switch (tls.step) {
    case 'start':
      return texts.conversation.tlsStart;
    case 'end':
      return texts.conversation.tlsEnd(tls.tls.version.replace(/^TLSv/, 'TLS '), tls.tls.cipher, tls.tls.handshakeMs);
    case 'failed':
      return texts.conversation.tlsFailed(visibleName(tls.message), tls.alert);
  }
}

function isProblem({ type }: Annotation): boolean {
  return ['login-failed', 'limit', 'wrong-port', 'dropped', 'fault', 'error'].includes(type);
}

function annotationWords(annotation: Annotation): string {
  const { annotations } = texts.conversation;
  switch (annotation.type) {
    case 'login':
      return annotations.login(visibleName(annotation.login), annotation.mechanism);
    case 'login-failed':
      return annotations.loginFailed(visibleName(annotation.login), annotation.reason);
    case 'stored':
      return annotations.stored(annotation.octets);
    case 'appended':
      return annotations.appended(visibleName(annotation.mailbox), annotation.uids);
    case 'settings':
      return annotations.settings[annotation.by](visibleName(annotation.login));
    case 'client':
      return annotations.client(visibleName(annotation.name), visibleName(annotation.version));
    case 'refused':
      return annotations.refused(visibleName(annotation.recipient), visibleName(annotation.reply));
    case 'looked':
      return annotations.looked(visibleName(annotation.mailbox), annotation.uids);
    case 'marked':
      return annotations.marked(annotation.uids);
    case 'copied':
    case 'moved':
      return annotations[annotation.type](
        visibleName(annotation.mailbox),
        annotation.uids,
        visibleName(annotation.to),
        annotation.toUids,
      );
    case 'api-read':
      return annotations.apiRead;
    case 'api-marked':
      return annotations.apiMarked(annotation.read);
    case 'api-deleted':
      return annotations.apiDeleted;
    case 'selected':
      return annotations.selected(visibleName(annotation.mailbox));
    case 'read':
      return annotations.read(visibleName(annotation.mailbox), annotation.uids);
    case 'flags':
      return annotations.flags(visibleName(annotation.mailbox), annotation.uids);
    case 'expunged':
      return annotations.expunged(visibleName(annotation.mailbox), annotation.uids);
    case 'secret':
      return '';
    case 'limit':
      return annotations.limit(annotation.limit);
    case 'wrong-port':
      return annotations.wrongPort[annotation.found];
    case 'dropped':
      return annotations.dropped(annotation.octets);
    case 'fault':
      return annotations.fault(visibleName(annotation.rule), annotation.effect, annotation.at);
    case 'revealed':
      return annotations.revealed(annotation.what, annotation.to);
    case 'error':
      return visibleName(annotation.message);
  }
}
