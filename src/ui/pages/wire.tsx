/** Wire: the recorded conversations, and what was said in one of them. */
import { useEffect } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { Blank } from '../components/blank.tsx';
import { ConversationListPane } from '../components/conversation-list-pane.tsx';
import { ConversationPane } from '../components/conversation-pane.tsx';
import { passes } from '../conversation-filter.ts';
import type { Feed } from '../feed.ts';
import { focusRow, focusRowSoon, focusedRow } from '../mail-places.ts';
import { navigate, usePlace, withQuery } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { useAppState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { isMail, loadConversations, showConversation } from '../wire.ts';

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
  const rows = conversations.rows.filter(
    (row) => (withHttp || isMail(row) || row.id === conversation) && passes(row, filter),
  );
  const shown = rows.filter(({ id }) => !conversations.waiting.has(id));
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
        retry={() => void loadConversations(feed)}
      />
      <section className="item-pane" id="item" tabIndex={-1} aria-label={texts.conversation.label}>
        {conversation === undefined ? (
          <Blank title={texts.wire.nothingOpen} text={texts.wire.nothingOpenText} />
        ) : (
          <ConversationPane id={conversation} open={open} retry={() => showConversation(conversation, feed)} />
        )}
      </section>
    </div>
  );
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
