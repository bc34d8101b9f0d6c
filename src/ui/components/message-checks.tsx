import { useCallback } from 'react';
import type { Message } from '../../http/schemas/messages.ts';
import type { Extracted } from '../../http/schemas/waiting.ts';
import { get } from '../api.ts';
import { useLoaded } from '../load.ts';
import { mailTexts } from '../mail-texts.ts';
import { texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { CopyButton } from './copy-button.tsx';
import { Icon } from './icons.tsx';

export function MessageChecks({ message }: { readonly message: Message }) {
  const load = useCallback(
    async (signal: AbortSignal) =>
      (await get(`/messages/${encodeURIComponent(message.id)}/extract`, signal)) as Extracted,
    [message.id],
  );
  const { value: extracted, problem } = useLoaded(load);
  if (problem !== undefined)
    return (
      <p className="blank" role="alert">
        {problem}
      </p>
    );
  if (extracted === undefined) return <p className="blank muted">{texts.mail.loading}</p>;
  return (
    <div className="checks-view">
      <Links message={message} extracted={extracted} />
      <Remote message={message} />
      <Unsubscribe extracted={extracted} />
      <Codes extracted={extracted} />
    </div>
  );
}

interface ExtractedProps {
  readonly extracted: Extracted;
}

function Links({ message, extracted }: ExtractedProps & { readonly message: Message }) {
  const suspicious = new Set(message.links.filter((link) => link.suspicious).map(({ url }) => url));
  return (
    <section>
      <h3>{mailTexts.checks.links}</h3>
      {extracted.links.length === 0 ? (
        <p className="muted">{mailTexts.checks.noLinks}</p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={mailTexts.checks.links}>
          <table className="fields">
            <thead>
              <tr>
                <th scope="col">{mailTexts.checks.host}</th>
                <th scope="col">{mailTexts.checks.address}</th>
                <th scope="col">{mailTexts.checks.where}</th>
              </tr>
            </thead>
            <tbody>
              {extracted.links.map(({ url, host, text, in: where }) => (
                <tr key={url}>
                  <th scope="row">
                    <bdi>{visibleName(host) || '–'}</bdi>
                    {suspicious.has(url) ? (
                      <span className="warn-note">
                        <Icon name="warning" /> {mailTexts.checks.suspicious}
                      </span>
                    ) : null}
                    {/(?:^|\.)xn--/i.test(host) ? (
                      <span className="warn-note">
                        <Icon name="warning" /> {mailTexts.checks.punycode}
                      </span>
                    ) : null}
                  </th>
                  <td>
                    <bdi dir="ltr">{visibleName(url)}</bdi>{' '}
                    <CopyButton className="tool small" text={url} label={texts.mail.linkLabel(visibleName(url))} />
                    {text === '' ? null : (
                      <span className="muted block" dir="auto">
                        “{visibleText(text)}”
                      </span>
                    )}
                  </td>
                  <td>{mailTexts.checks.places[where]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Remote({ message }: { readonly message: Message }) {
  return (
    <section>
      <h3>{mailTexts.checks.remote}</h3>
      {message.remoteCount === 0 ? (
        <p className="muted">{mailTexts.checks.noRemote}</p>
      ) : (
        <>
          <p className="muted">{mailTexts.checks.remoteText}</p>
          <ul className="plain-list">
            {message.remoteReferences.map(({ kind, url }, index) => (
              <li key={index}>
                <span className="kind">{texts.message.kinds[kind]}</span> <bdi dir="ltr">{visibleName(url)}</bdi>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Unsubscribe({ extracted: { listUnsubscribe } }: ExtractedProps) {
  return (
    <section>
      <h3>{mailTexts.checks.unsubscribe}</h3>
      {listUnsubscribe === null ? (
        <p className="muted">{mailTexts.checks.noUnsubscribe}</p>
      ) : (
        <>
          <ul className="plain-list">
            {listUnsubscribe.links.map((link) => (
              <li key={link}>
                <bdi dir="ltr">{visibleName(link)}</bdi>{' '}
                <CopyButton className="tool small" text={link} label={texts.mail.linkLabel(visibleName(link))} />
              </li>
            ))}
          </ul>
          <p className={listUnsubscribe.oneClick ? 'ok-note' : 'muted'}>
            {listUnsubscribe.oneClick ? <Icon name="check" /> : null}{' '}
            {listUnsubscribe.oneClick ? mailTexts.checks.oneClick : mailTexts.checks.noOneClick}
          </p>
        </>
      )}
    </section>
  );
}

function Codes({ extracted: { codes } }: ExtractedProps) {
  return (
    <section>
      <h3>{mailTexts.checks.codes}</h3>
      {codes.length === 0 ? (
        <p className="muted">{mailTexts.checks.noCodes}</p>
      ) : (
        <ul className="plain-list">
          {codes.map(({ code, word, in: where }) => (
            <li key={`${code} ${where}`}>
              <CopyButton className="chip" text={code} label={texts.mail.code(visibleName(code))}>
                <bdi>{visibleName(code)}</bdi>
              </CopyButton>{' '}
              <span className="muted">{mailTexts.checks.near(visibleText(word))}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
