import type { Status } from '../../http/schemas/status.ts';
import { mailTexts } from '../mail-texts.ts';
import { writeAddress } from '../mail-places.ts';
import { usePlace } from '../router.ts';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { CopyButton } from './copy-button.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { AddressText } from './person.tsx';

/** In the order in which a mail program asks for them. */
const SETTINGS = [
  ['smtp', 'none'],
  ['submission', 'startTls'],
  ['submissions', 'tls'],
  ['imap', 'startTls'],
  ['imaps', 'tls'],
  ['pop3', 'startTls'],
  ['pop3s', 'tls'],
] as const;

/** Four ways to send the first message, each with the address at which this page was reached and the server's own ports. */
export function EmptyState({ account }: { readonly account: string | undefined }) {
  const { query } = usePlace();
  const status = useAppState((state) => state.status);
  const accounts = useAppState((state) => state.accounts);
  if (status === undefined) return null;
  const to = account ?? accounts?.[0]?.address ?? `alice@${status.defaultDomain}`;
  const host = location.hostname.replace(/^\[|\]$/g, '');
  const smtp = portOf(status, 'smtp');
  return (
    <div className="empty-state">
      <h2>{account === undefined ? texts.empty.title : texts.empty.accountTitle}</h2>
      <p>{account === undefined ? texts.empty.text : texts.empty.accountText(account)}</p>
      <ol>
        <li>
          <h3>{mailTexts.emptyWrite}</h3>
          <p>
            <Link className="button" to={writeAddress(query, 'new')}>
              <Icon name="pencil" />
              {mailTexts.write}
            </Link>
          </p>
        </li>
        <li>
          <h3>{texts.empty.command}</h3>
          <Command text={`npx glassmail send --to ${to} --subject Hello --text "It works"`} />
        </li>
        {smtp === undefined ? null : (
          <li>
            <h3>{texts.empty.curl}</h3>
            <Command text={curlCommand(host, smtp, to)} />
          </li>
        )}
        <li>
          <h3>{texts.empty.program}</h3>
          <p>{status.mode === 'capture' ? texts.empty.programText : texts.empty.programOnlyText}</p>
          <table className="settings">
            <thead>
              <tr>
                {[texts.empty.use, texts.empty.server, texts.empty.port, texts.empty.security].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {SETTINGS.map(([service, security]) => {
                const port = portOf(status, service);
                const isForOthers = service === 'smtp' && status.mode === 'domain';
                return port === undefined || isForOthers ? null : (
                  <tr key={service}>
                    <th scope="row">{texts.empty.uses[service]}</th>
                    <td>{host}</td>
                    <td>{port}</td>
                    <td>{texts.empty[security]}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          <p>
            {texts.empty.user} <AddressText address={to} />. {status.mode === 'capture' ? texts.empty.password : ''}
          </p>
        </li>
      </ol>
    </div>
  );
}

function portOf(status: Status, service: string): number | undefined {
  return status.services.find((offered) => offered.service === service)?.port;
}

function curlCommand(host: string, port: number, to: string): string {
  const server = host.includes(':') ? `[${host}]` : host;
  return [
    `curl smtp://${server}:${port} --mail-from shop@app.test --mail-rcpt ${to} -T - <<'MAIL'`,
    'From: Shop <shop@app.test>',
    `To: ${to}`,
    'Subject: Hello',
    '',
    'It works.',
    'MAIL',
  ].join('\n');
}

function Command({ text }: { readonly text: string }) {
  return (
    <div className="command">
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={texts.copy} className="tool" />
    </div>
  );
}
