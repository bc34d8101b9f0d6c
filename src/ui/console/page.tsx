/** The console: a mail protocol, typed by hand. */
import { useEffect, useRef, useState } from 'react';
import { fetchAccounts } from '../api.ts';
import { Blank } from '../components/blank.tsx';
import { Link } from '../components/link.tsx';
import { usePlace } from '../router.ts';
import { useAppState } from '../state.ts';
import { texts as app } from '../texts.ts';
import './console.css';
import { SessionView } from './session-view.tsx';
import { type Beginning, type Service, Session } from './session.ts';
import { texts } from './texts.ts';

const SERVICES = ['smtp', 'submission', 'imap', 'pop3'] as const satisfies readonly Service[];

export function ConsolePage({ service = 'smtp' }: { readonly service: string | undefined }) {
  const known = SERVICES.find((each) => each === service);
  useEffect(() => {
    const name = known === undefined ? '' : `${texts.services[known]} · `;
    document.title = `${name}${texts.title} · ${app.name}`;
  }, [known]);
  if (known === undefined) {
    return (
      <Blank title={texts.missing} text={texts.missingText} level={1}>
        <ul>
          {SERVICES.map((each) => (
            <li key={each}>
              <Link to={`/console/${each}`}>{texts.services[each]}</Link>
            </li>
          ))}
        </ul>
      </Blank>
    );
  }
  return <ServiceConsole key={known} service={known} />;
}

function ServiceConsole({ service }: { readonly service: Service }) {
  const { query } = usePlace();
  const [beginning, setBeginning] = useState<Beginning>('later');
  const [explains, setExplains] = useState(true);
  const [account, other] = useAccounts();
  // Read once: a reload asks for it again, a new session does not.
  const wanted = useRef(query.get('line') ?? '');
  const [session, setSession] = useState<Session>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const made = new Session(service, beginning);
    if (wanted.current !== '' && round === 0) made.putLine(wanted.current);
    setSession(made);
    return () => made.close();
  }, [service, beginning, round]);
  return (
    <div className="console-page">
      <header className="console-header">
        <h1>{texts.title}</h1>
        <p className="small-print">{texts.lead}</p>
        <nav className="tabs" aria-label={texts.service}>
          {SERVICES.map((each) => (
            <Link key={each} to={`/console/${each}`} aria-current={each === service ? 'page' : undefined}>
              {texts.services[each]}
            </Link>
          ))}
        </nav>
        <fieldset className="console-begin">
          <legend className="visually-hidden">{texts.begin}</legend>
          {(['later', 'at-once'] as const).map((each) => (
            <label key={each} className="check">
              <input
                type="radio"
                name="beginning"
                checked={beginning === each}
                disabled={service === 'smtp' && each === 'at-once'}
                onChange={() => setBeginning(each)}
              />
              {texts.tls[each]}
            </label>
          ))}
          {service === 'smtp' ? <span className="small-print">{texts.noTlsPort}</span> : null}
        </fieldset>
      </header>
      {session ? (
        <SessionView
          key={round}
          session={session}
          account={account}
          other={other}
          explains={explains}
          setExplains={setExplains}
          renew={() => setRound(round + 1)}
        />
      ) : null}
    </div>
  );
}

/** Two addresses for templates: the first accounts, or what they are called after a first start. */
function useAccounts(): readonly [string, string] {
  const domain = useAppState(({ status }) => status?.defaultDomain) ?? 'glass.localhost';
  const [accounts, setAccounts] = useState<readonly string[]>([]);
  useEffect(() => {
    fetchAccounts().then(
      ({ accounts: found }) => setAccounts(found.map(({ address }) => address)),
      () => undefined,
    );
  }, []);
  const account = accounts[0] ?? `alice@${domain}`;
  return [account, accounts[1] ?? `bob@${domain}`];
}
