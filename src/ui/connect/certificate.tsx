import type { ConnectSettings } from '../../http/schemas/connect.ts';
import { Icon } from '../components/icons.tsx';
import { Snippet, Value } from './said.tsx';
import { systems } from './systems.ts';
import { texts } from './texts.ts';

interface CertificateProps {
  readonly settings: ConnectSettings;
  /** Where the reader's system fetches files: `http://localhost:8025`. */
  readonly page: string;
}

/** Whom to trust, how to tell that it is the right one, and how to take the trust back. */
export function Certificate({ settings, page }: CertificateProps) {
  const { authority, certificate } = settings;
  const said = texts.certificate;
  if (certificate === null) return null;
  return (
    <section className="certificate" aria-labelledby="certificate-title">
      <h2 id="certificate-title">{said.title}</h2>
      <p className="muted">{authority === null ? said.own : said.intro}</p>
      {authority === null ? null : (
        <p className="buttons">
          <a className="button small" href="/ca.crt" download="glassmail-ca.crt">
            <Icon name="download" />
            {said.der}
          </a>
          <a className="button small" href="/ca.pem" download="glassmail-ca.pem">
            <Icon name="download" />
            {said.pem}
          </a>
        </p>
      )}
      <dl className="prints">
        {authority === null ? null : <Prints of={said.authority} prints={authority} />}
        <Prints of={said.server} prints={certificate.fingerprints} />
        <dt>{said.names}</dt>
        <dd>
          <bdi>{certificate.names.join(', ')}</bdi>
        </dd>
      </dl>
      {authority === null ? null : (
        <>
          <h3>{said.systems}</h3>
          <p className="muted">{said.systemsText}</p>
          {systems(page, authority.sha1).map(({ name, install, remove }) => (
            <details key={name} className="system">
              <summary>{name}</summary>
              <p>{said.install}</p>
              <Snippet text={install} label={`${said.install}: ${name}`} />
              <p>{said.remove}</p>
              <Snippet text={remove} label={`${said.remove}: ${name}`} />
            </details>
          ))}
        </>
      )}
    </section>
  );
}

interface PrintsProps {
  readonly of: string;
  readonly prints: { readonly sha1: string; readonly sha256: string };
}

function Prints({ of, prints }: PrintsProps) {
  const said = texts.certificate;
  return (
    <>
      <dt>
        {of}, {said.sha1}
      </dt>
      <dd>
        <Value text={prints.sha1} />
      </dd>
      <dt>
        {of}, {said.sha256}
      </dt>
      <dd>
        <Value text={prints.sha256} />
      </dd>
    </>
  );
}
