import { type ReactNode, memo, useEffect, useRef } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { formatCount, formatEndpoint } from '../format.ts';
import { focusItemSoon } from '../mail-places.ts';
import { navigate, withQuery } from '../router.ts';
import { type ConversationsState, state } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { MOST_SHOWN, isMail, setAtTop, showWaiting } from '../wire.ts';
import { wireTexts } from '../wire-texts.ts';
import { Blank } from './blank.tsx';
import { ConversationsExport } from './conversations-export.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { When } from './time.tsx';
import { TlsMark } from './tls-mark.tsx';

const TOP = 8;

interface ConversationListPaneProps {
  readonly conversations: ConversationsState;
  /** Those that pass the filter. */
  readonly rows: readonly ConversationItem[];
  readonly waiting: number;
  readonly open: string | undefined;
  readonly query: URLSearchParams;
  /** Reads the list anew. @param limit how many it then has at most */
  readonly load: (limit?: number) => void;
  readonly clear: () => void;
}

export function ConversationListPane(props: ConversationListPaneProps) {
  const { conversations, rows, waiting, query, load, clear } = props;
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => setAtTop(true), []);
  return (
    <section className="list-pane" aria-label={texts.wire.list}>
      <header className="pane-header">
        <h2>{texts.wire.list}</h2>
        <p className="muted">{formatCount(rows.length)}</p>
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
        <ConversationsExport rows={rows} />
        <button
          type="button"
          className="tool"
          aria-label={wireTexts.list.clearTitle}
          title={wireTexts.list.clear}
          onClick={() =>
            state.update({
              question: {
                title: wireTexts.list.clearTitle,
                text: wireTexts.list.clearText,
                confirm: wireTexts.list.clearConfirm,
                act: clear,
              },
            })
          }
        >
          <Icon name="trash" />
        </button>
      </header>
      {conversations.missed === 0 ? null : (
        <p className="note list-note" role="status">
          <span>
            <b>{wireTexts.list.missed(conversations.missed)}</b>: {wireTexts.list.missedText(conversations.missed)}
          </span>
          <button type="button" className="button small" onClick={() => load()}>
            {wireTexts.list.readAnew}
          </button>
        </p>
      )}
      <SearchNote conversations={conversations} />
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
        <Older conversations={conversations} query={query} load={load} />
      </div>
    </section>
  );
}

function SearchNote({ conversations: { search } }: Pick<ConversationListPaneProps, 'conversations'>) {
  if (search === undefined) return null;
  if (search.phase === 'loading') return <p className="note list-note">{wireTexts.list.searching}</p>;
  if (search.problem !== undefined) return <p className="note list-note problem">{search.problem}</p>;
  if (search.unsearched === 0) return null;
  return <p className="note list-note">{wireTexts.list.unsearched(search.unsearched)}</p>;
}

function Older({
  conversations: { rows, total, search },
  query,
  load,
}: Pick<ConversationListPaneProps, 'conversations' | 'query' | 'load'>) {
  const withHttp = query.get('http') === '1';
  const listed = withHttp ? rows.length : rows.filter(isMail).length;
  if (search !== undefined || total <= listed || listed === 0) return null;
  return (
    <p className="note list-note">
      <span>{wireTexts.list.older(total)}</span>
      {listed >= MOST_SHOWN ? null : (
        <button type="button" className="button small" onClick={() => load(MOST_SHOWN)}>
          {wireTexts.list.showOlder}
        </button>
      )}
    </p>
  );
}

function ListBody({ conversations, rows, open, query, load }: ConversationListPaneProps): ReactNode {
  if (conversations.phase === 'failed' && rows.length === 0) {
    return (
      <Blank title={texts.wire.failed} text={conversations.problem}>
        <button type="button" className="button" onClick={() => load()}>
          {texts.retry}
        </button>
      </Blank>
    );
  }
  if (rows.length === 0) {
    if (conversations.phase === 'loading') return <p className="blank muted">{texts.mail.loading}</p>;
    if (!conversations.recording) return <Blank title={texts.wire.off} text={texts.wire.offText} />;
    if (query.has('q')) {
      return (
        <Blank title={texts.wire.noneFound} text={texts.wire.noneFoundText}>
          <Link className="button" to={withQuery(location.pathname, query, { q: undefined })}>
            {texts.wire.clearFilter}
          </Link>
        </Blank>
      );
    }
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

const ConversationRow = memo(function ConversationRow({ item, to, isOpen }: ConversationRowProps) {
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
          <TlsMark tls={item.tls} />
          <span className="visually-hidden"> {isLive ? texts.wire.open : texts.wire.closed}</span>
        </span>
        <span className="row-subject">
          {item.program === null ? null : (
            <>
              <bdi>{visibleName(item.program)}</bdi>
              {' · '}
            </>
          )}
          <bdi>{item.login === null ? formatEndpoint(item.remote) : visibleName(item.login)}</bdi>
          {stored > 0 ? <span> · {texts.wire.stored(stored)}</span> : null}
          {read > 0 ? <span> · {texts.wire.read(read)}</span> : null}
        </span>
        <RowProblem item={item} />
        <span className="row-time">
          {isLive ? <span className="going">{texts.wire.open}</span> : null} <When at={item.opened} />
        </span>
      </Link>
    </li>
  );
});

function RowProblem({ item: { problem, diagnoses } }: { readonly item: ConversationItem }) {
  const first = diagnoses.find(({ severity }) => severity === 'problem') ?? diagnoses[0];
  if (first === undefined && problem === null) return null;
  const severity = first?.severity ?? 'problem';
  return (
    <span className={`row-problem ${severity}`}>
      <Icon name={severity === 'note' ? 'help' : 'warning'} />
      <span className="visually-hidden">{wireTexts.list.severity[severity]}: </span>
      {first === undefined ? <bdi>{visibleText(problem!)}</bdi> : `${first.title} · ${first.id}`}
      {diagnoses.length > 1 ? ` +${diagnoses.length - 1}` : ''}
    </span>
  );
}
