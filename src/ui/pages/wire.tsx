/** Wire: the recorded conversations, and what was said in one of them. */
import { Suspense, lazy, useEffect, useMemo } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { Blank } from '../components/blank.tsx';
import { ConversationListPane } from '../components/conversation-list-pane.tsx';
import { filterOf } from '../conversation-filter.ts';
import type { Feed } from '../feed.ts';
import { focusRow, focusRowSoon, focusedRow } from '../mail-places.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { useAppState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import {
  clearConversations,
  isMail,
  loadConversations,
  searchConversations,
  showConversation,
  wantHttp,
} from '../wire.ts';

// The list is the first screen.
const ConversationPane = lazy(async () => ({
  default: (await import('../components/conversation-pane.tsx')).ConversationPane,
}));

interface WirePageProps {
  readonly conversation: string | undefined;
  readonly feed: Feed;
}

export function WirePage({ conversation, feed }: WirePageProps) {
  const { query } = usePlace();
  const conversations = useAppState((state) => state.conversations);
  const open = useAppState((state) => (state.conversation?.id === conversation ? state.conversation : undefined));
  useEffect(() => showConversation(conversation, feed), [conversation, feed]);
  // Whoever leaves follows it no longer.
  useEffect(() => () => showConversation(undefined, feed), [feed]);
  const filter = query.get('q') ?? '';
  const withHttp = query.get('http') === '1';
  const { text, passes } = useMemo(() => filterOf(filter), [filter]);
  useEffect(() => wantHttp(withHttp, feed), [withHttp, feed]);
  useEffect(() => searchConversations(text), [text]);
  useEffect(() => () => searchConversations(undefined), []);
  const { rows: listed, search, waiting } = conversations;
  const rows = useMemo(() => {
    const found = text === undefined ? listed : upToDate(search?.text === text ? search.rows : [], listed);
    return found.filter((row) => (withHttp || isMail(row) || row.id === conversation) && passes(row));
  }, [listed, search, text, passes, withHttp, conversation]);
  const shown = useMemo(() => rows.filter(({ id }) => !waiting.has(id)), [rows, waiting]);
  useWireKeys(shown, query, conversation);
  const service = open?.detail?.service;
  useEffect(() => {
    const title = service === undefined ? texts.wire.title : `${serviceName(service)} · ${texts.wire.title}`;
    document.title = `${title} · ${texts.name}`;
  }, [service]);
  return (
    <div className={`panes wire ${conversation === undefined ? 'at-list' : 'at-item'}`}>
      <h1 className="visually-hidden">{texts.wire.title}</h1>
      <ConversationListPane
        conversations={conversations}
        rows={shown}
        waiting={rows.length - shown.length}
        open={conversation}
        query={query}
        load={(limit) => void loadConversations(feed, limit)}
        clear={() => void clearConversations(feed)}
      />
      <section className="item-pane" id="item" tabIndex={-1} aria-label={texts.conversation.label}>
        {conversation === undefined ? (
          <Blank title={texts.wire.nothingOpen} text={texts.wire.nothingOpenText} />
        ) : (
          <Suspense fallback={<p className="blank muted">{texts.mail.loading}</p>}>
            <ConversationPane
              id={conversation}
              open={open}
              feed={feed}
              retry={() => showConversation(conversation, feed)}
            />
          </Suspense>
        )}
      </section>
    </div>
  );
}

/** What was found, as the list has it by now. */
function upToDate(found: readonly ConversationItem[], listed: readonly ConversationItem[]): ConversationItem[] {
  const known = new Map(listed.map((item) => [item.id, item]));
  return found.map((item) => known.get(item.id) ?? item);
}

function useWireKeys(rows: readonly ConversationItem[], query: URLSearchParams, open: string | undefined): void {
  const step = (by: 1 | -1): true => {
    const current = open ?? focusedRow();
    const at = rows.findIndex(({ id }) => id === current);
    const next = rows[at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by];
    if (!next) return true;
    if (open === undefined) {
      focusRow(next.id);
      return true;
    }
    navigate(withQuery(`/wire/${next.id}`, query), { replace: true });
    focusRowSoon(next.id);
    return true;
  };
  const back = (): boolean => {
    if (open === undefined) return false;
    navigate(withQuery('/wire', query, { lens: undefined }));
    focusRowSoon(open);
    return true;
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => (focusedRow() === undefined ? false : step(1)),
    ArrowUp: () => (focusedRow() === undefined ? false : step(-1)),
    u: back,
    Escape: back,
  });
}
