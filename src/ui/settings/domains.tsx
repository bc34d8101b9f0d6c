import { useCallback } from 'react';
import { CopyButton } from '../components/copy-button.tsx';
import { Facts } from '../components/facts.tsx';
import { Link } from '../components/link.tsx';
import { useAppState } from '../state.ts';
import { texts as app } from '../texts.ts';
import { fetchAccountList, fetchConnect } from './api.ts';
import { useLoaded } from '../load.ts';
import { Shown } from './shown.tsx';
import { texts } from './texts.ts';

const words = texts.domains;

export function Domains() {
  const status = useAppState((state) => state.status);
  const load = useCallback(async (signal: AbortSignal) => {
    const [account] = (await fetchAccountList(signal)).accounts;
    return account === undefined ? '' : (await fetchConnect(account.address, signal)).records;
  }, []);
  const records = useLoaded(load);
  return (
    <>
      {status === undefined ? (
        <p className="muted">{texts.loading}</p>
      ) : (
        <Facts
          facts={[
            [words.mode, status.mode === 'capture' ? words.capture : words.domain],
            [words.local, status.mode === 'capture' ? words.every(status.defaultDomain) : status.domains.join(', ')],
          ]}
        />
      )}
      <h3>{words.records}</h3>
      <p>
        {words.recordsIntro} <Link to="/connect">{app.pages.connect}</Link>
      </p>
      <Shown loaded={records}>
        {(text) =>
          text === '' ? null : (
            <>
              <pre className="settings-records" tabIndex={0} aria-label={words.records}>
                {text}
              </pre>
              <CopyButton text={text} className="button small">
                {words.copy}
              </CopyButton>
            </>
          )
        }
      </Shown>
    </>
  );
}
