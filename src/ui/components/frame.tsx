/** What stands around every page: header, rail, status bar, dialogs. */
import { useEffect, useRef } from 'react';
import type { Feed } from '../feed.ts';
import { MailPage } from '../pages/mail.tsx';
import { MissingPage } from '../pages/missing.tsx';
import { WirePage } from '../pages/wire.tsx';
import { navigate, usePlace } from '../router.ts';
import { useKeys } from '../shortcuts.ts';
import { state, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Announcer } from './announcer.tsx';
import { AppearanceMenu } from './appearance-menu.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { Icon, Logo } from './icons.tsx';
import { Link } from './link.tsx';
import { LiveState } from './live-state.tsx';
import { NoticeLine } from './notice-line.tsx';
import { QuestionDialog } from './question-dialog.tsx';
import { Rail } from './rail.tsx';
import { SearchField, focusSearch } from './search-field.tsx';
import { SkipLink } from './skip-link.tsx';
import { StatusBar } from './status-bar.tsx';

export function Frame({ feed }: { readonly feed: Feed }) {
  const { route } = usePlace();
  const domain = useAppState(({ status }) => status?.defaultDomain);
  const togglePause = (): void => feed.setPaused(!state.latest.paused);
  useKeys({
    '/': () => focusSearch(),
    '?': () => state.update({ help: true }),
    ' ': togglePause,
    'g m': () => navigate('/mail'),
    'g w': () => navigate('/wire'),
  });
  const shown = useRef(route.name);
  useEffect(() => {
    if (shown.current === route.name) return;
    shown.current = route.name;
    // What had the focus has gone with its page.
    if (document.activeElement === document.body) document.getElementById('page')?.focus({ preventScroll: true });
  }, [route.name]);
  return (
    <div className="frame">
      <SkipLink to="page">{texts.skipToPage}</SkipLink>
      <header className="bar">
        <Link className="brand" to="/mail">
          <Logo />
          <b>{texts.name}</b>
          {domain === undefined ? null : <span className="domain">{domain}</span>}
        </Link>
        <SearchField />
        <div className="bar-tools">
          <LiveState feed={feed} togglePause={togglePause} />
          <AppearanceMenu />
          <button
            type="button"
            className="tool"
            aria-label={texts.help.title}
            onClick={() => state.update({ help: true })}
          >
            <Icon name="help" />
          </button>
        </div>
      </header>
      <Rail />
      <main id="page" tabIndex={-1}>
        {route.name === 'mail' ? <MailPage message={route.message} /> : null}
        {route.name === 'wire' ? <WirePage conversation={route.conversation} feed={feed} /> : null}
        {route.name === 'missing' ? <MissingPage /> : null}
      </main>
      <StatusBar />
      <NoticeLine />
      <Announcer />
      <QuestionDialog />
      <HelpDialog />
    </div>
  );
}
