import { useState } from 'react';
import type { Message, RemoteReference } from '../../http/schemas/messages.ts';
import { htmlPath } from '../api.ts';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { Icon } from './icons.tsx';

/** As the document itself says it: no scripts, no forms, an origin of its own. */
const SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';

const WIDTHS = ['full', 'tablet', 'phone'] as const;

export function MessageHtml({ message, subject }: { readonly message: Message; readonly subject: string }) {
  const canLoad = useAppState(({ status }) => status?.remoteImages ?? false);
  const [isLoaded, setLoaded] = useState(false);
  const [width, setWidth] = useState<(typeof WIDTHS)[number]>('full');
  const suspicious = message.links.filter((link) => link.suspicious);
  const address = `${htmlPath(message.id)}${isLoaded ? '?remote=1' : ''}`;
  return (
    <div className="html-view">
      <div className="html-bar">
        {message.remoteCount === 0 ? null : isLoaded ? (
          <span>{texts.message.loaded}</span>
        ) : (
          <Blocked count={message.remoteCount} references={message.remoteReferences} />
        )}
        {message.remoteCount > 0 && canLoad && !isLoaded ? (
          <button type="button" className="button small" onClick={() => setLoaded(true)}>
            {texts.message.load}
          </button>
        ) : null}
        <fieldset className="widths">
          <legend className="visually-hidden">{texts.message.width}</legend>
          {WIDTHS.map((name) => (
            <label key={name}>
              <input type="radio" name="width" checked={width === name} onChange={() => setWidth(name)} />
              {texts.message.widths[name]}
            </label>
          ))}
        </fieldset>
      </div>
      {suspicious.length === 0 ? null : (
        <details className="warning">
          <summary>
            <Icon name="warning" />
            {texts.message.suspicious(suspicious.length)}
          </summary>
          <ul>
            {suspicious.map((link, index) => (
              <li key={index}>
                <bdi>{texts.message.says(visibleName(link.text))}</bdi>{' '}
                <bdi>{texts.message.leadsTo(visibleName(link.host))}</bdi>
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className={`sheet ${width}`}>
        <iframe
          key={address}
          src={address}
          sandbox={SANDBOX}
          referrerPolicy="no-referrer"
          title={texts.message.frame(subject)}
        />
      </div>
    </div>
  );
}

interface BlockedProps {
  readonly count: number;
  readonly references: readonly RemoteReference[];
}

function Blocked({ count, references }: BlockedProps) {
  const hosts = new Set(references.map(({ host }) => host));
  return (
    <details className="blocked">
      <summary>
        <Icon name="lock" />
        {texts.message.blocked(count)}
      </summary>
      <p>{texts.message.blockedText(hosts.size)}</p>
      <ul>
        {references.map(({ kind, url }, index) => (
          <li key={index}>
            <span className="kind">{texts.message.kinds[kind]}</span> <bdi dir="ltr">{visibleName(url)}</bdi>
          </li>
        ))}
      </ul>
    </details>
  );
}
