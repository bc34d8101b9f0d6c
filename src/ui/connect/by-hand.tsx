import type { ConnectSettings } from '../../http/schemas/connect.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Value } from './said.tsx';
import { texts } from './texts.ts';

/** What every program asks for that is set up by hand. */
export function ByHand({ settings }: { readonly settings: ConnectSettings }) {
  const { host, userName, password, services } = settings;
  const { byHand } = texts;
  const all = [
    ...services.map(
      ({ protocol, port, security }) =>
        `${byHand.purposes[protocol]}: ${host}, ${port}, ${byHand.securities[security]}, ${byHand.methodText}`,
    ),
    `${byHand.user}: ${userName}`,
  ].join('\n');
  return (
    <section className="by-hand" aria-labelledby="by-hand-title">
      <h3 id="by-hand-title">{byHand.title}</h3>
      <dl className="pairs">
        <dt>{byHand.server}</dt>
        <dd>
          <Value text={host} />
        </dd>
        <dt>{byHand.user}</dt>
        <dd>
          <Value text={userName} />
        </dd>
        <dt>{byHand.password}</dt>
        <dd>{password === null ? byHand.passwordUnknown : <Value text={password} />}</dd>
        <dt>{byHand.method}</dt>
        <dd>{byHand.methodText}</dd>
      </dl>
      <table>
        <thead>
          <tr>
            <th scope="col">{byHand.use}</th>
            <th scope="col">{byHand.port}</th>
            <th scope="col">{byHand.security}</th>
          </tr>
        </thead>
        <tbody>
          {services.map(({ service, protocol, port, security }) => (
            <tr key={service}>
              <th scope="row">{byHand.purposes[protocol]}</th>
              <td>
                <Value text={String(port)} />
              </td>
              <td>{byHand.securities[security]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <CopyButton text={all} className="button small">
        {byHand.all}
      </CopyButton>
    </section>
  );
}
