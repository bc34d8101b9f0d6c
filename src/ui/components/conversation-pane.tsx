import { type ReactNode, useEffect, useState } from 'react';
import type { ConversationDetail } from '../../http/schemas/conversations.ts';
import { formatAbsolute, formatDuration, formatEndpoint } from '../format.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import type { ConversationState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { type Lens, type WireRow, wireRows } from '../wire-rows.ts';
import { Blank } from './blank.tsx';
import { tlsName } from './conversation-list-pane.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { WireRowItem } from './wire-row.tsx';

/** More rows than these at once are not in the document. */
const SHOWN = 2000;

interface ConversationPaneProps {
  readonly id: string;
  readonly open: ConversationState | undefined;
  readonly retry: () => void;
}

export function ConversationPane({ id, open, retry }: ConversationPaneProps) {
  const { query } = usePlace();
  const toList = withQuery('/wire', query, { lens: undefined });
  const back = (
    <Link className="tool back" to={toList} aria-label={texts.conversation.back}>
      <Icon name="back" />
    </Link>
  );
  if (open === undefined || open.phase === 'loading') {
    return (
      <div className="blank muted">
        {back}
        <p>{texts.mail.loading}</p>
      </div>
    );
  }
  if (open.detail) {
    return <OpenConversation key={id} detail={open.detail} isGone={open.phase === 'gone'} back={back} />;
  }
  const [title, text] =
    open.phase === 'gone'
      ? [texts.conversation.goneTitle, texts.conversation.goneText]
      : open.phase === 'missing'
        ? [texts.conversation.missingTitle, texts.conversation.missingText]
        : [texts.conversation.failed, open.problem];
  return (
    <Blank title={title} text={text}>
      {open.phase === 'failed' ? (
        <button type="button" className="button" onClick={retry}>
          {texts.retry}
        </button>
      ) : (
        <Link className="button" to={toList}>
          {texts.conversation.back}
        </Link>
      )}
    </Blank>
  );
}

interface OpenConversationProps {
  readonly detail: ConversationDetail;
  readonly isGone: boolean;
  readonly back: ReactNode;
}

function OpenConversation({ detail, isGone, back }: OpenConversationProps) {
  const { query, hash } = usePlace();
  const lens: Lens = query.get('lens') === 'eavesdropper' ? 'eavesdropper' : 'server';
  const address = (name: Lens): string =>
    withQuery(`/wire/${detail.id}`, query, { lens: name === 'server' ? undefined : name });
  useKeys({
    e: () => navigate(address(lens === 'server' ? 'eavesdropper' : 'server'), { replace: true }),
  });
  return (
    <article className="conversation-view">
      <header className="message-header">
        <div className="message-title">
          {back}
          <h2>
            {serviceName(detail.service)} {detail.local.port}
          </h2>
          {detail.tls ? (
            <span className="tls">
              <Icon name="lock" />
              {tlsName(detail.tls.version)}
            </span>
          ) : (
            <span className="clear">
              <Icon name="unlock" />
              {texts.wire.clear}
            </span>
          )}
        </div>
        <ConversationFacts detail={detail} />
        {isGone ? <p className="note">{texts.conversation.goneNote}</p> : null}
        <nav className="tabs" aria-label={texts.conversation.lens}>
          {(['server', 'eavesdropper'] as const).map((name) => (
            <Link key={name} to={address(name)} replace aria-current={name === lens ? 'true' : undefined}>
              {texts.conversation.lenses[name]}
            </Link>
          ))}
        </nav>
      </header>
      <p className="lens-text muted">{texts.conversation.lensText[lens]}</p>
      <WireRows key={lens} detail={detail} lens={lens} hash={hash} />
    </article>
  );
}

function ConversationFacts({ detail }: { readonly detail: ConversationDetail }) {
  const [client, server] = detail.role === 'server' ? [detail.remote, detail.local] : [detail.local, detail.remote];
  const { networkIn, networkOut } = detail.octets;
  const [received, sent] = detail.role === 'server' ? [networkIn, networkOut] : [networkOut, networkIn];
  const opened = Date.parse(detail.opened);
  const facts: readonly (readonly [string, ReactNode])[] = [
    [texts.conversation.from, formatEndpoint(client)],
    [texts.conversation.at, formatEndpoint(server)],
    [texts.conversation.began, formatAbsolute(opened)],
    [
      texts.conversation.lasted,
      detail.closed === null ? texts.conversation.going : formatDuration(Date.parse(detail.closed) - opened),
    ],
    ...(detail.login === null
      ? []
      : ([[texts.conversation.login, <bdi key="login">{visibleName(detail.login)}</bdi>]] as const)),
    ...(detail.tls === null
      ? []
      : ([
          [
            texts.conversation.tls,
            `${tlsName(detail.tls.version)}, ${detail.tls.cipher}${detail.tls.serverName === undefined ? '' : `, ${texts.conversation.sni(visibleName(detail.tls.serverName))}`}`,
          ],
        ] as const)),
    [texts.conversation.octets, texts.conversation.octetCounts(received, sent)],
  ];
  return (
    <dl className="facts columns">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface WireRowsProps {
  readonly detail: ConversationDetail;
  readonly lens: Lens;
  readonly hash: string;
}

function WireRows({ detail, lens, hash }: WireRowsProps) {
  const [shown, setShown] = useState(SHOWN);
  const rows = wireRows(detail.events, lens, detail.role === 'server' ? 'in' : 'out');
  const first = Math.max(0, rows.length - shown);
  const hasRows = rows.length > 0;
  useEffect(() => {
    if (hasRows && /^e\d+$/.test(hash)) document.getElementById(hash)?.scrollIntoView({ block: 'center' });
  }, [hash, hasRows]);
  if (!hasRows) {
    const words = lens === 'server' ? texts.conversation.nothing : texts.conversation.nothingForEavesdropper;
    return <p className="blank muted">{words}</p>;
  }
  const { missed } = detail;
  return (
    <>
      {first === 0 ? null : (
        <button type="button" className="button" onClick={() => setShown((before) => before + SHOWN)}>
          {texts.conversation.earlier(first)}
        </button>
      )}
      {missed.events === 0 ? null : <p className="note">{texts.conversation.missed(missed.events, missed.octets)}</p>}
      <ol className="wire-rows" aria-label={texts.conversation.rows}>
        {rows.slice(first).map((row, index) => (
          <WireRowItem
            key={`${row.seq} ${first + index}`}
            row={row}
            lens={lens}
            isTarget={hash === `e${row.seq}`}
            isSameMoment={isSameMoment(rows[first + index - 1], row)}
          />
        ))}
      </ol>
    </>
  );
}

/** Both came with one event; a silence belongs to none. */
function isSameMoment(before: WireRow | undefined, row: WireRow): boolean {
  return before !== undefined && before.type !== 'silence' && before.seq === row.seq;
}
