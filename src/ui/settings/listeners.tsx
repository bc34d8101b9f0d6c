import type { ListenerView } from '../../http/schemas/settings.ts';
import { Facts } from '../components/facts.tsx';
import { formatCount, formatEndpoint, formatOctets } from '../format.ts';
import { serviceName } from '../texts.ts';
import { fetchSettings } from './api.ts';
import { useLoaded } from '../load.ts';
import { Shown } from './shown.tsx';
import { texts } from './texts.ts';

const words = texts.listeners;
const LOOK_MS = 3000;

export function Listeners() {
  const loaded = useLoaded(fetchSettings, LOOK_MS);
  return (
    <Shown loaded={loaded}>
      {({ listeners, off, limits, authority }) => (
        <>
          <table className="settings-table">
            <thead>
              <tr>
                <th scope="col">{words.service}</th>
                <th scope="col">{words.addresses}</th>
                <th scope="col">{words.tls}</th>
                <th scope="col">{words.open}</th>
                <th scope="col">{words.sinceStart}</th>
              </tr>
            </thead>
            <tbody>
              {listeners.map((listener) => (
                <ListenerRow key={listener.service} listener={listener} />
              ))}
            </tbody>
          </table>
          {off.length === 0 ? null : <p className="small-print">{words.off(off.map(serviceName))}</p>}
          <h3>{words.limits}</h3>
          <Facts
            facts={[
              [words.connections, formatCount(limits.connections)],
              [words.perAddress, formatCount(limits.connectionsPerAddress)],
              [words.message, formatOctets(limits.messageOctets)],
              [words.recipients, formatCount(limits.recipients)],
            ]}
          />
          <h3>{words.certificate}</h3>
          {authority === null ? (
            <p>{words.own}</p>
          ) : (
            <Facts
              facts={[
                [words.names, authority.names.join(', ')],
                [words.authority, <code key="fingerprint">{authority.sha256}</code>],
                [
                  words.download,
                  <a key="download" href="/ca.pem" download>
                    ca.pem
                  </a>,
                ],
              ]}
            />
          )}
          <p className="small-print">{texts.byOption}</p>
        </>
      )}
    </Shown>
  );
}

function ListenerRow({ listener }: { readonly listener: ListenerView }) {
  return (
    <tr>
      <th scope="row">{serviceName(listener.service)}</th>
      <td data-label={words.addresses}>
        {listener.addresses.map((address) => (
          <code key={address.address}>{formatEndpoint(address)} </code>
        ))}
      </td>
      <td data-label={words.tls}>{words.kinds[listener.tls]}</td>
      <td data-label={words.open} className="number">
        {formatCount(listener.open)}
      </td>
      <td data-label={words.sinceStart} className="number">
        {formatCount(listener.sinceStart)}
      </td>
    </tr>
  );
}
