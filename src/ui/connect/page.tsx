import { useEffect, useState } from 'react';
import type { ConnectSettings } from '../../http/schemas/connect.ts';
import { ApiError, isAbort, wordsOf } from '../api.ts';
import { Blank } from '../components/blank.tsx';
import { Icon } from '../components/icons.tsx';
import { Problem } from '../components/problem.tsx';
import { MissingPage } from '../pages/missing.tsx';
import { navigate, usePlace, withQuery } from '../router.ts';
import { texts as app } from '../texts.ts';
import { AccountCode } from './account-code.tsx';
import { fetchSettings } from './api.ts';
import { ByHand } from './by-hand.tsx';
import { Certificate } from './certificate.tsx';
import { Choices, PLACES, type PlaceName } from './choices.tsx';
import './connect.css';
import { Said, Snippet } from './said.tsx';
import { TextFiles } from './text-files.tsx';
import { type Facts, type ProgramName, texts } from './texts.ts';
import { useProgress } from './use-progress.ts';
import { Watch } from './watch.tsx';

const FIRST: ProgramName = 'thunderbird';
/** The service's name in the compose files of this project. */
const CONTAINER = 'glassmail';

/** Every choice but the program lies in the query: `account`, `from`, `host`, `since`. */
export function ConnectPage({ program = FIRST }: { readonly program: string | undefined }) {
  const { query } = usePlace();
  const account = query.get('account') ?? '';
  const place = placeOf(query.get('from'));
  const since = query.get('since') ?? '';
  const [suggested, setSuggested] = useState<string>();
  const host =
    place === 'computer' ? '' : (query.get('host') ?? (place === 'container' ? CONTAINER : (suggested ?? '')));
  const { settings, failure, retry } = useSettings(account, host);
  useEffect(() => {
    if (settings) setSuggested(isLoopback(location.hostname) ? settings.networkAddresses[0] : location.hostname);
  }, [settings]);
  const { progress, problem } = useProgress(settings?.account, since);
  const known = isProgram(program) || settings?.configurations.some((each) => each.program === program);
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);

  if (settings === undefined) {
    if (failure === undefined) return <Blank title={texts.loading} level={1} />;
    const isEmpty = failure instanceof ApiError && failure.status === 404 && account === '';
    return isEmpty ? (
      <Blank title={texts.noAccount} text={texts.noAccountText} level={1} />
    ) : (
      <Blank title={texts.failed} text={wordsOf(failure)} level={1}>
        <button type="button" className="button" onClick={retry}>
          {app.retry}
        </button>
      </Blank>
    );
  }
  // The texts of an account that has none are no proof that there is no such program.
  if (known !== true && (settings.configurations.length > 0 || !/^[a-z-]{2,20}$/.test(program))) return <MissingPage />;

  const choose: Parameters<typeof Choices>[0]['choose'] = ({ program: chosen = program, ...changes }) => {
    const { from, account: toAccount, host: toHost } = changes;
    const path = `/connect/${encodeURIComponent(chosen)}`;
    navigate(
      withQuery(path, query, {
        ...(toAccount !== undefined && { account: toAccount }),
        ...(from !== undefined && { from: from === 'computer' ? undefined : from, host: undefined }),
        ...(toHost !== undefined && { host: toHost }),
      }),
    );
  };
  return (
    <div className="connect-page">
      <header className="connect-header">
        <h1>{texts.title}</h1>
        <p className="muted">{texts.intro}</p>
        <Choices
          account={settings.account}
          place={place}
          host={host}
          program={program}
          configurations={settings.configurations}
          choose={choose}
        />
        <Problem words={failure === undefined ? undefined : wordsOf(failure)} />
      </header>
      <div className="connect-columns">
        <Steps program={program} settings={settings} place={place} host={host} />
        <Watch
          progress={progress}
          problem={problem}
          since={since}
          startOver={(from) => navigate(withQuery(location.pathname, query, { since: from }), { replace: true })}
        />
        <div className="connect-rest">
          <Certificate settings={settings} page={pageFor(settings)} />
          <section aria-labelledby="records-title">
            <h2 id="records-title">{texts.records.title}</h2>
            <p className="muted">{texts.records.text}</p>
            <Snippet text={settings.records.trimEnd()} label={texts.records.title} />
          </section>
        </div>
      </div>
    </div>
  );
}

interface StepsProps {
  readonly program: string;
  readonly settings: ConnectSettings;
  readonly place: PlaceName;
  /** As it was entered. */
  readonly host: string;
}

function Steps({ program, settings, place, host }: StepsProps) {
  const configuration = settings.configurations.find((each) => each.program === program);
  const title = isProgram(program) ? texts.programs[program].title : (configuration?.title ?? program);
  return (
    <section className="connect-steps" aria-labelledby="steps-title">
      <h2 id="steps-title">{title}</h2>
      <Notes settings={settings} place={place} host={host} />
      {isProgram(program) ? (
        <ProgramSteps program={program} settings={settings} />
      ) : configuration ? (
        <TextFiles configuration={configuration} />
      ) : (
        <p className="note">{texts.notes.noTexts}</p>
      )}
    </section>
  );
}

/** What stands between the reader and the server, before any program does. */
function Notes({ settings, place, host }: Omit<StepsProps, 'program'>) {
  const isUnknown = place === 'network' && host === '';
  const notes = [
    place === 'network' && settings.loopbackOnly && texts.notes.loopback,
    isUnknown && texts.notes.addressUnknown,
    place === 'container' && texts.notes.container,
    !isUnknown && !isNamed(settings) && texts.notes.notNamed(settings.host),
  ];
  return notes.map((note) =>
    note === false ? null : (
      <p key={note} className="note warn">
        {note}
      </p>
    ),
  );
}

function ProgramSteps({ program, settings }: { readonly program: ProgramName; readonly settings: ConnectSettings }) {
  const { steps, findsSettings, hasProfile, hasCode } = texts.programs[program];
  const facts: Facts = {
    account: settings.account,
    domain: settings.account.slice(settings.account.lastIndexOf('@') + 1),
    host: settings.host,
    password: settings.password ?? undefined,
    page: pageFor(settings),
  };
  return (
    <>
      <ol className="steps">
        {steps(facts).map((sentence, index) => (
          <li key={index}>
            <Said sentence={sentence} />
          </li>
        ))}
      </ol>
      {findsSettings ? (
        <p className="note">{location.port === '' ? texts.notes.port80.yes : texts.notes.port80.no}</p>
      ) : null}
      {hasProfile && settings.profile !== null ? (
        <p className="buttons">
          <a className="button" href={`${settings.profile}?host=${encodeURIComponent(settings.host)}`}>
            <Icon name="download" />
            {texts.profile.link}
          </a>
          <span className="muted">{texts.profile.text}</span>
        </p>
      ) : null}
      {hasCode ? (
        <p className="buttons">
          <AccountCode settings={settings} />
        </p>
      ) : null}
      {program === 'outlook-new' ? null : <ByHand settings={settings} />}
    </>
  );
}

// ------------------------------------------------------------------------------------------------------- values

interface Asked {
  readonly settings: ConnectSettings | undefined;
  readonly failure: unknown;
  readonly retry: () => void;
}

/** The last settings stay on the page while others are asked for. */
function useSettings(account: string, host: string): Asked {
  const [settings, setSettings] = useState<ConnectSettings>();
  const [failure, setFailure] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    fetchSettings(account, host, stop.signal).then(
      (answer) => {
        setSettings(answer);
        setFailure(undefined);
      },
      (error: unknown) => {
        if (!isAbort(error)) setFailure(error);
      },
    );
    return () => stop.abort();
  }, [account, host, attempt]);
  return { settings, failure, retry: () => setAttempt(attempt + 1) };
}

function placeOf(text: string | null): PlaceName {
  return PLACES.find((name) => name === text) ?? 'computer';
}

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(texts.programs, name);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host.startsWith('127.') || host === '[::1]';
}

/** This server's pages, by the name that the program will use. */
function pageFor({ host }: ConnectSettings): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${location.protocol}//${name}${location.port === '' ? '' : `:${location.port}`}`;
}

/** Names that are in the certificate, and those for which one is made when they are asked for. */
function isNamed({ host, certificate }: ConnectSettings): boolean {
  if (certificate === null) return true;
  const isAddress = host.includes(':') || /^[\d.]+$/.test(host);
  const parent = host.slice(host.indexOf('.') + 1);
  return (
    certificate.names.includes(host) ||
    (!isAddress && (certificate.names.includes(`*.${parent}`) || /(?:^|\.)(?:localhost|test)$/.test(host)))
  );
}
