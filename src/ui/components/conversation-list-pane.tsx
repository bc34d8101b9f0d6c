import { type ReactNode, useEffect, useRef } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { formatEndpoint } from '../format.ts';
import { focusItemSoon } from '../mail-places.ts';
import { navigate, withQuery } from '../router.ts';
import type { ConversationsState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { setAtTop, showWaiting } from '../wire.ts';
import { Blank } from './blank.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { When } from './time.tsx';

const TOP = 8;

interface ConversationListPaneProps {
  readonly conversations: ConversationsState;
  /** Those that pass the filter. */
  readonly rows: readonly ConversationItem[];
  readonly waiting: number;
  readonly open: string | undefined;
  readonly query: URLSearchParams;
  readonly retry: () => void;
}

export function ConversationListPane(props: ConversationListPaneProps) {
  const { rows, waiting, query } = props;
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => setAtTop(true), []);
  return (
    <section className="list-pane" aria-label={texts.wire.list}>
      <header className="pane-header">
        <h2>{texts.wire.list}</h2>
        <p className="muted">{texts.wire.count(rows.length)}</p>
        <label className="check push">
          <input
            type="checkbox"
            checked={query.get('http') === '1'}
            onChange={(event) =>
              navigate(withQuery(location.pathname, query, { http: event.currentTarget.checked ? '1' : undefined }), {
                replace: true,
              })
            }
          />
          {texts.wire.http}
        </label>
      </header>
      {waiting === 0 ? null : (
        <div className="fresh-place">
          <button
            type="button"
            className="fresh"
            aria-label={texts.wire.freshLabel(waiting)}
            onClick={() => {
              scroller.current?.scrollTo({ top: 0 });
              showWaiting();
            }}
          >
            <Icon name="up" />
            {texts.wire.fresh(waiting)}
          </button>
        </div>
      )}
      <div ref={scroller} className="scroller" onScroll={(event) => setAtTop(event.currentTarget.scrollTop < TOP)}>
        <ListBody {...props} />
      </div>
    </section>
  );
}

function ListBody({ conversations, rows, open, query, retry }: ConversationListPaneProps): ReactNode {
  if (conversations.phase === 'failed' && rows.length === 0) {
    return (
      <Blank title={texts.wire.failed} text={conversations.problem}>
        <button type="button" className="button" onClick={retry}>
          {texts.retry}
        </button>
      </Blank>
    );
  }
  if (rows.length === 0) {
    if (conversations.phase === 'loading') return <p className="blank muted">{texts.mail.loading}</p>;
    if (!conversations.recording) return <Blank title={texts.wire.off} text={texts.wire.offText} />;
    if (query.has('q')) return <Blank title={texts.wire.noneFound} />;
    return <Blank title={texts.wire.none} text={texts.wire.noneText} />;
  }
  return (
    <ul className="rows">
      {rows.map((item) => (
        <ConversationRow
          key={item.id}
          item={item}
          to={withQuery(`/wire/${item.id}`, query)}
          isOpen={item.id === open}
        />
      ))}
    </ul>
  );
}

interface ConversationRowProps {
  readonly item: ConversationItem;
  readonly to: string;
  readonly isOpen: boolean;
}

function ConversationRow({ item, to, isOpen }: ConversationRowProps) {
  const isLive = item.closed === null;
  const { stored = 0, read = 0 } = item.annotations;
  const classes = ['row', 'conversation', ...(isOpen ? ['open'] : []), ...(isLive ? ['ongoing'] : [])];
  return (
    <li className={classes.join(' ')} data-row={item.id}>
      <span className="live-dot" aria-hidden="true" />
      <Link
        className="row-link"
        to={to}
        aria-current={isOpen ? 'true' : undefined}
        onClick={(event) => {
          if (event.detail === 0) focusItemSoon();
        }}
      >
        <span className="row-from">
          <b className="name">{serviceName(item.service)}</b> <span className="muted">{item.local.port}</span>{' '}
          {item.tls ? (
            <span className="tls">
              <Icon name="lock" />
              {tlsName(item.tls.version)}
            </span>
          ) : (
            <span className="clear">
              <Icon name="unlock" />
              {texts.wire.clear}
            </span>
          )}
          <span className="visually-hidden"> {isLive ? texts.wire.open : texts.wire.closed}</span>
        </span>
        <span className="row-subject">
          <bdi>{item.login === null ? formatEndpoint(item.remote) : visibleName(item.login)}</bdi>
          {stored > 0 ? <span> · {texts.wire.stored(stored)}</span> : null}
          {read > 0 ? <span> · {texts.wire.read(read)}</span> : null}
        </span>
        {item.problem === null ? null : (
          <span className="row-problem">
            <Icon name="warning" />
            <span className="visually-hidden">{texts.wire.problem}: </span>
            <bdi>{visibleText(item.problem)}</bdi>
          </span>
        )}
        <span className="row-time">
          {isLive ? <span className="going">{texts.wire.open}</span> : null} <When at={item.opened} />
        </span>
      </Link>
    </li>
  );
}

export function tlsName(version: string): string {
  return version.replace(/^TLSv/, 'TLS ');
}
