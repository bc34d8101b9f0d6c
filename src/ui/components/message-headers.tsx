import { useState } from 'react';
import type { HeaderField, Message } from '../../http/schemas/messages.ts';
import { formatAbsolute } from '../format.ts';
import { receivedHops } from '../received.ts';
import { texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';

export function MessageHeaders({ message }: { readonly message: Message }) {
  const [showsRaw, setShowsRaw] = useState(false);
  return (
    <div className="headers-view">
      <Way headers={message.headers} />
      <div className="view-bar">
        <h3>{texts.headers.fields}</h3>
        <label className="check">
          <input type="checkbox" checked={showsRaw} onChange={(event) => setShowsRaw(event.currentTarget.checked)} />
          {texts.headers.showRaw}
        </label>
      </div>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={texts.headers.fields}>
        <table className={`fields ${showsRaw ? 'with-raw' : ''}`}>
          <thead>
            <tr>
              <th scope="col">{texts.headers.name}</th>
              <th scope="col">{texts.headers.value}</th>
              {showsRaw ? <th scope="col">{texts.headers.raw}</th> : null}
            </tr>
          </thead>
          <tbody>
            {message.headers.map((field, index) => (
              <tr key={index} className={field.trace ? 'trace' : undefined}>
                <th scope="row">
                  {visibleName(field.name)}
                  {field.trace ? <span className="trace-note">{texts.headers.trace}</span> : null}
                </th>
                <td>
                  <bdi>{visibleText(field.value)}</bdi>
                </td>
                {showsRaw ? (
                  <td className="raw">
                    <code>{visibleText(field.raw)}</code>
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** The Received fields in the order of time. */
function Way({ headers }: { readonly headers: readonly HeaderField[] }) {
  const received = headers.filter(({ name }) => name.toLowerCase() === 'received').map(({ value }) => value);
  const hops = receivedHops(received);
  if (hops.length === 0) return null;
  return (
    <>
      <h3>{texts.headers.way}</h3>
      <ol className="way">
        {hops.map((hop, index) => (
          <li key={index}>
            <p>
              {hop.from === undefined ? null : (
                <>
                  <span className="muted">{texts.headers.from}</span> <bdi>{visibleName(hop.from)}</bdi>{' '}
                </>
              )}
              {hop.by === undefined ? null : (
                <>
                  <span className="muted">{texts.headers.by}</span> <bdi>{visibleName(hop.by)}</bdi>{' '}
                </>
              )}
              {hop.with === undefined ? null : (
                <>
                  <span className="muted">{texts.headers.with}</span> <bdi>{visibleName(hop.with)}</bdi>
                </>
              )}
            </p>
            <p className="muted">
              {hop.at === undefined ? texts.headers.unknownTime : formatAbsolute(hop.at)}
              {hop.delay === undefined ? '' : ` · ${texts.headers.later(hop.delay)}`}
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}
