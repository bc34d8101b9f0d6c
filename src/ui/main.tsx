/** The browser's entry: connects the feed with what it feeds, and shows the page that the address means. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ErrorBoundary } from './components/error-boundary.tsx';
import { Frame } from './components/frame.tsx';
import { Feed } from './feed.ts';
import { connectedAgain, loadStatus, mailNews, mailboxNews } from './mail.ts';
import { conversationNews, eventNews, loadConversations } from './wire.ts';

let startedAt: string | undefined;

const feed: Feed = new Feed({
  connected: () => void connected(),
  mail: mailNews,
  mailboxes: mailboxNews,
  conversations: (news) => conversationNews(news, feed),
  events: eventNews,
});

async function connected(): Promise<void> {
  connectedAgain();
  const before = startedAt;
  startedAt = (await loadStatus()) ?? before;
  // Another run of the server numbers its conversations anew.
  if (startedAt !== before) await loadConversations(feed);
}

feed.open();
createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <ErrorBoundary>
      <Frame feed={feed} />
    </ErrorBoundary>
  </StrictMode>,
);
