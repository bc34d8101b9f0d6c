import type { ReactNode } from 'react';
import { formatTlsVersion } from '../format.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import type { Handshake, TlsStep } from '../wire-log.ts';
import { wireTexts } from '../wire-texts.ts';
import { Fact } from './facts.tsx';
import { Icon } from './icons.tsx';

type TlsInfo = Extract<TlsStep, { step: 'end' }>['tls'];

interface TlsBandProps {
  readonly step: TlsStep;
  readonly handshake: Handshake | undefined;
}

/** Where TLS begins, and what was agreed on. */
export function TlsBand({ step, handshake }: TlsBandProps) {
  return (
    <div className="band-text">
      <Icon name={step.step === 'failed' ? 'warning' : 'lock'} />
      {factsOf(step, handshake).map((fact, index) => (
        <span key={index}>{fact}</span>
      ))}
    </div>
  );
}

function factsOf(step: TlsStep, handshake: Handshake | undefined): ReactNode[] {
  switch (step.step) {
    case 'start':
      return [texts.conversation.tlsStart];
    case 'failed':
      return [texts.conversation.tlsFailed(visibleName(step.message), step.alert)];
    case 'end': {
      const { version, cipher, serverName, handshakeMs, alpn, certificate } = step.tls;
      return [
        <b key="version">{formatTlsVersion(version)}</b>,
        cipher,
        serverName === undefined ? wireTexts.tls.notAsked : wireTexts.tls.asked(visibleName(serverName)),
        ...(alpn === undefined ? [] : [alpn]),
        wireTexts.tls.in(handshakeMs),
        ...(handshake ? [wireTexts.tls.handshake(handshake.client, handshake.server)] : []),
        ...(certificate ? [wireTexts.tls.certificate(namesOf(certificate))] : []),
      ];
    }
  }
}

const NAMES_SHOWN = 3;

function namesOf({ names }: NonNullable<TlsInfo['certificate']>): string {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).map(visibleName).join(', ') + (more > 0 ? `, +${more}` : '');
}

/** All about it, for the drawer. */
export function TlsFacts({ tls }: { readonly tls: TlsInfo }) {
  const { certificate } = tls;
  const isHidden = tls.version === 'TLSv1.3';
  return (
    <>
      {/* RFC 8446 §2: from the server's second message on, the handshake itself is encrypted. */}
      <p>{isHidden ? wireTexts.tls.certificateHidden : wireTexts.tls.certificateReadable}</p>
      {certificate === undefined ? null : (
        <dl className="facts">
          {[
            [wireTexts.tls.subject, certificate.subject],
            [wireTexts.tls.issuer, certificate.issuer],
            [wireTexts.tls.names, certificate.names.join(', ')],
            [wireTexts.tls.valid, `${certificate.validFrom.slice(0, 10)} – ${certificate.validTo.slice(0, 10)}`],
            [wireTexts.tls.fingerprint, certificate.fingerprint],
          ].map(([name, value]) => (
            <Fact key={name} name={name!}>
              <bdi>{visibleName(value!)}</bdi>
            </Fact>
          ))}
        </dl>
      )}
    </>
  );
}
