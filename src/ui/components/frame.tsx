/** What stands around every page: header, rail, status bar, dialogs. */
import { Suspense, lazy, useEffect, useRef } from 'react';
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
import { Blank } from './blank.tsx';
import { FaultBanner } from './fault-banner.tsx';
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

// The first screen is mail or the wire; the others are loaded when they are opened.
const JourneyPage = lazy(async () => ({ default: (await import('../journey/page.tsx')).JourneyPage }));
const ConnectPage = lazy(async () => ({ default: (await import('../connect/page.tsx')).ConnectPage }));
const ConsolePage = lazy(async () => ({ default: (await import('../console/page.tsx')).ConsolePage }));
const LessonsPage = lazy(async () => ({ default: (await import('../lessons/page.tsx')).LessonsPage }));
const SettingsPage = lazy(async () => ({ default: (await import('../settings/page.tsx')).SettingsPage }));

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
    'g c': () => navigate('/connect'),
    'g k': () => navigate('/console'),
    'g l': () => navigate('/lessons'),
    'g s': () => navigate('/settings'),
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
          <FaultBanner />
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
        <Suspense fallback={<Blank title={texts.loading} text="" />}>
          {route.name === 'mail' ? <MailPage message={route.message} /> : null}
          {route.name === 'journey' ? <JourneyPage message={route.message} /> : null}
          {route.name === 'wire' ? <WirePage conversation={route.conversation} feed={feed} /> : null}
          {route.name === 'connect' ? <ConnectPage program={route.program} /> : null}
          {route.name === 'console' ? <ConsolePage service={route.service} /> : null}
          {route.name === 'lessons' ? <LessonsPage lesson={route.lesson} /> : null}
          {route.name === 'settings' ? <SettingsPage section={route.section} /> : null}
          {route.name === 'missing' ? <MissingPage /> : null}
        </Suspense>
      </main>
      <StatusBar />
      <NoticeLine />
      <Announcer />
      <QuestionDialog />
      <HelpDialog />
    </div>
  );
}
