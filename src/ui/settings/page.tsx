/** Settings: what can be changed while the server runs, and how it was started. */
import { useEffect } from 'react';
import { Blank } from '../components/blank.tsx';
import { Link } from '../components/link.tsx';
import { useAppState } from '../state.ts';
import { texts as app } from '../texts.ts';
import { About } from './about.tsx';
import { Accounts } from './accounts.tsx';
import { Data } from './data.tsx';
import { Domains } from './domains.tsx';
import { Faults } from './faults.tsx';
import { Listeners } from './listeners.tsx';
import './settings.css';
import { texts } from './texts.ts';

const SECTIONS = {
  accounts: Accounts,
  domains: Domains,
  faults: Faults,
  data: Data,
  listeners: Listeners,
  about: About,
} as const;
type SectionName = keyof typeof SECTIONS;

const isSection = (name: string): name is SectionName => Object.hasOwn(SECTIONS, name);

export function SettingsPage({ section = 'accounts' }: { readonly section: string | undefined }) {
  const administers = useAppState(({ status }) => status?.administration ?? true);
  const name = isSection(section) ? section : undefined;
  useEffect(() => {
    const title = name === undefined ? texts.title : `${texts.sections[name]} · ${texts.title}`;
    document.title = `${title} · ${app.name}`;
  }, [name]);
  const Section = name === undefined ? undefined : SECTIONS[name];
  return (
    <div className="settings-page">
      <nav aria-label={texts.label}>
        <h1>{texts.title}</h1>
        <ul>
          {Object.entries(texts.sections).map(([to, title]) => (
            <li key={to}>
              <Link to={`/settings/${to}`} aria-current={to === name ? 'page' : undefined}>
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="settings-section">
        {administers ? null : <p className="note">{texts.notPermitted}</p>}
        {name !== undefined && Section ? (
          <>
            <h2>{texts.sections[name]}</h2>
            <Section />
          </>
        ) : (
          <Blank title={app.missing.title} text={texts.noSuchSection(section)} />
        )}
      </div>
    </div>
  );
}
