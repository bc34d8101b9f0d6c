import { type ReactNode, Suspense, lazy, useMemo, useState } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import type { Feed } from '../feed.ts';
import { formatAbsolute, formatDuration, formatEndpoint, formatTlsVersion } from '../format.ts';
import { choose, usePreferences } from '../preferences.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import type { ConversationState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { readConversationAnew } from '../wire.ts';
import type { Entry, Side, WireLog } from '../wire-log.ts';
import type { Lens } from '../wire-rows.ts';
import { wireTexts } from '../wire-texts.ts';
import { Blank } from './blank.tsx';
import { ConversationFind } from './conversation-find.tsx';
import { ConversationRows } from './conversation-rows.tsx';
import { ConversationExport } from './conversations-export.tsx';
import { Fact } from './facts.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { TlsMark } from './tls-mark.tsx';

// Nobody needs it before a line is chosen.
const ConversationDrawer = lazy(async () => ({
  default: (await import('./conversation-drawer.tsx')).ConversationDrawer,
}));

const LENSES = ['server', 'eavesdropper', 'both'] as const;

interface ConversationPaneProps {
  readonly id: string;
  readonly open: ConversationState | undefined;
  readonly feed: Feed;
  readonly retry: () => void;
}

export function ConversationPane({ id, open, feed, retry }: ConversationPaneProps) {
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
  if (open.detail && open.log) {
    return (
      <OpenConversation
        key={id}
        detail={open.detail}
        log={open.log}
        version={open.version}
        isGone={open.phase === 'gone'}
        back={back}
        load={() => readConversationAnew(feed)}
      />
    );
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
  readonly detail: ConversationItem;
  readonly log: WireLog;
  readonly version: number;
  readonly isGone: boolean;
  readonly back: ReactNode;
  readonly load: () => void;
}

function OpenConversation({ detail, log, version, isGone, back, load }: OpenConversationProps) {
  const { query, hash } = usePlace();
  const { explanations } = usePreferences();
  const [find, setFind] = useState('');
  const lens = LENSES.find((name) => name === query.get('lens')) ?? 'server';
  const address = (name: Lens): string =>
    withQuery(`/wire/${detail.id}`, query, { lens: name === 'server' ? undefined : name }) +
    (hash === '' ? '' : `#${hash}`);
  useKeys({
    e: () => navigate(address(LENSES[(LENSES.indexOf(lens) + 1) % LENSES.length]!), { replace: true }),
  });
  const ours: Side = detail.role === 'server' ? 'server' : 'client';
  const chosen = useChosen(log, version, hash);
  const closeDrawer = (): void => navigate(withQuery(`/wire/${detail.id}`, query), { replace: true });
  return (
    <article className="conversation-view">
      <header className="conversation-header">
        <div className="conversation-title">
          {back}
          <h2>
            {serviceName(detail.service)} {detail.local.port}
          </h2>
          <TlsMark tls={detail.tls} />
          <span className="muted">
            <bdi>{formatEndpoint(detail.remote)}</bdi>
            {detail.program === null ? null : (
              <>
                {' · '}
                <bdi className="program">{visibleName(detail.program)}</bdi>
              </>
            )}
            {detail.login === null ? null : (
              <>
                {' · '}
                <bdi>{visibleName(detail.login)}</bdi>
              </>
            )}
          </span>
          {detail.closed === null && !isGone ? <span className="going">{texts.wire.open}</span> : null}
        </div>
        <div className="conversation-tools">
          <nav className="lenses" aria-label={texts.conversation.lens}>
            {LENSES.map((name) => (
              <Link key={name} to={address(name)} replace aria-current={name === lens ? 'true' : undefined}>
                {wireTexts.lens.short[name]}
              </Link>
            ))}
          </nav>
          <ConversationFind log={log} version={version} lens={lens} find={find} setFind={setFind} hash={hash} />
          <label className="check">
            <input
              type="checkbox"
              checked={explanations}
              onChange={(event) => choose({ explanations: event.currentTarget.checked })}
            />
            {wireTexts.tools.explanations}
          </label>
          <ConversationExport id={detail.id} hasTls={detail.tls !== null} />
        </div>
        <details className="conversation-facts">
          <summary>{wireTexts.tools.details}</summary>
          <ConversationFacts detail={detail} />
          <p className="small-print">{wireTexts.lens.text[lens]}</p>
        </details>
        {isGone ? <p className="note">{texts.conversation.goneNote}</p> : null}
      </header>
      <ConversationRows
        id={detail.id}
        log={log}
        version={version}
        diagnoses={detail.diagnoses}
        ours={ours}
        isLive={detail.closed === null}
        lens={lens}
        explains={explanations}
        find={find.toLowerCase()}
        hash={hash}
        query={query}
        load={load}
      />
      {chosen === undefined ? null : (
        <Suspense fallback={null}>
          <ConversationDrawer key={chosen.id} conversation={detail} entry={chosen} close={closeDrawer} />
        </Suspense>
      )}
    </article>
  );
}

/** What the address names, as the rows have it. */
function useChosen(log: WireLog, version: number, hash: string): Entry | undefined {
  return useMemo(() => {
    const wanted = /^e(\d{1,15})(-\d+)?$/.exec(hash);
    if (!wanted) return undefined;
    const seq = Number(wanted[1]);
    const exact = log.entries.find(({ id }) => id === hash);
    if (exact) return exact;
    return log.entries.find((entry) => entry.type !== 'missed' && entry.lastSeq >= seq) ?? log.entries.at(-1);
    // The log grows in place: its version tells.
  }, [log, version, hash]);
}

function ConversationFacts({ detail }: { readonly detail: ConversationItem }) {
  const [client, server] = detail.role === 'server' ? [detail.remote, detail.local] : [detail.local, detail.remote];
  const { networkIn, networkOut } = detail.octets;
  const [received, sent] = detail.role === 'server' ? [networkIn, networkOut] : [networkOut, networkIn];
  const opened = Date.parse(detail.opened);
  const { tls, login, program } = detail;
  const sni = tls?.serverName === undefined ? '' : `, ${texts.conversation.sni(visibleName(tls.serverName))}`;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [texts.conversation.from, formatEndpoint(client)],
    [texts.conversation.at, formatEndpoint(server)],
    [texts.conversation.began, formatAbsolute(opened)],
    [
      texts.conversation.lasted,
      detail.closed === null ? texts.conversation.going : formatDuration(Date.parse(detail.closed) - opened),
    ],
    ...(program === null
      ? []
      : ([[texts.conversation.program, <bdi key="program">{visibleName(program)}</bdi>]] as const)),
    ...(login === null ? [] : ([[texts.conversation.login, <bdi key="login">{visibleName(login)}</bdi>]] as const)),
    ...(tls === null
      ? []
      : ([[texts.conversation.tls, `${formatTlsVersion(tls.version)}, ${tls.cipher}${sni}`]] as const)),
    [texts.conversation.octets, texts.conversation.octetCounts(received, sent)],
  ];
  return (
    <dl className="facts columns">
      {facts.map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}
