/** Mistakes about TLS: where it begins, whose certificate it is, and which version (D01, D02, D08, D08b, D09, D11). */
import { highestVersion, versionName } from '../hello.ts';
import type { Case } from './case.ts';
import { type Facts, hex, noted } from './facts.ts';
import { choose, clearPort, list, tlsPort } from './remedies.ts';
import { strangeFirstWords } from './first-words.ts';

/** Who leaves so soon after the handshake without a word has not liked what it saw. Milliseconds. */
const LEFT_AT_ONCE_MS = 100;
/** Longer than programs think: a person is being asked. */
const ASKING_MS = 2_000;

/** Alerts by which a client refuses the certificate: RFC 8446 §6.2. 45, which is expired, is D10's. */
const ALERTS: Readonly<Record<number, string>> = {
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  46: 'certificate_unknown',
  48: 'unknown_ca',
};
/** Ours or theirs: no version or cipher in common. */
const ALERTS_OF_VERSION: readonly number[] = [40, 70, 71, 86];
const CODES_OF_VERSION =
  /UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION_TOO_LOW|INAPPROPRIATE_FALLBACK|NO_SUITABLE|LEGACY|NO_PROTOCOLS/;

export const tlsOnClearPort: Case = {
  id: 'D01',
  title: 'TLS on a port that begins in clear',
  seen: 'a ClientHello (`16 03 …`) on a port without TLS, or with STARTTLS',
  says: 'Your program starts TLS at once; this port begins in clear. Choose STARTTLS, or the port with TLS.',
  inBand: 'the alert `15 03 01 00 02 02 46`, and the end',
  find(facts) {
    const { conversation, service, first } = facts;
    if (noted(facts, 'wrong-port')?.annotation.found !== 'tls') return undefined;
    const isHttp = conversation.protocol === 'http';
    return {
      severity: 'problem',
      sentence: `Your program starts TLS at once; port ${conversation.local.port} begins in clear.`,
      remedy: choose(
        service?.tls === 'starttls' && 'STARTTLS as the connection security',
        service?.tls === 'none' && !isHttp && 'no encryption for this port',
        isHttp && 'an address that begins with http://',
        tlsPort(facts),
      ),
      evidence: first ? [{ seq: first.seq, shows: `${hex(first.octets)} is the start of a TLS handshake` }] : [],
    };
  },
};

export const clearOnTlsPort: Case = {
  id: 'D02',
  title: 'No TLS on a port that begins with it',
  seen: 'a port that begins with TLS: nothing comes (1.5 s, in domain mode 5 s), or commands in clear; D03, STARTTLS chosen for such a port, looks the same',
  says: 'Your program waits for a greeting; this port expects TLS first. Choose SSL/TLS, or the port with STARTTLS.',
  inBand: 'one refusal in the protocol of the port (`* BYE`, `554`, `-ERR`; `400` of HTTP), and the end',
  find(facts) {
    const { conversation, closed, service, first } = facts;
    const mistake = noted(facts, 'wrong-port');
    if (first && strangeFirstWords(first.octets) !== undefined) return undefined;
    const leftWaiting =
      service?.tls === 'implicit' &&
      conversation.protocol !== 'http' &&
      conversation.passed.networkIn === 0 &&
      closed?.by === 'peer' &&
      closed.at >= 1_000;
    const isSilent = mistake?.annotation.found === 'silence' || leftWaiting;
    const isHttp = conversation.protocol === 'http';
    const found = mistake?.annotation.found;
    if (!isSilent && found !== 'plaintext' && !(found === 'http' && isHttp)) return undefined;
    return {
      severity: 'problem',
      sentence: isSilent
        ? `Your program waits for a greeting; port ${conversation.local.port} expects TLS first. With STARTTLS or no encryption chosen, both wait for each other.`
        : `Your program speaks in clear; port ${conversation.local.port} begins with TLS.`,
      remedy: choose(
        isHttp ? 'an address that begins with https://' : 'SSL/TLS (not STARTTLS) as the connection security',
        clearPort(facts) && `${clearPort(facts)!} ${isHttp ? 'with http://' : 'for STARTTLS'}`,
      ),
      evidence: first
        ? [{ seq: first.seq, shows: 'the first octets are in clear' }]
        : [{ seq: (mistake ?? closed)!.seq, shows: 'nothing had come from the client until here' }],
    };
  },
};

/** Undefined: the client has not refused the certificate, as far as can be seen. */
function refusal(
  facts: Facts,
): { readonly evidence: { readonly seq: number; readonly shows: string }; readonly surely: boolean } | undefined {
  const { handshake, closed, conversation } = facts;
  const { end } = handshake ?? {};
  if (end === undefined || noted(facts, 'fault')?.annotation.effect === 'cut') return undefined;
  if (end.step.step === 'failed') {
    const { alert, code } = end.step;
    const name = alert === undefined ? undefined : ALERTS[alert];
    if (name !== undefined) return { evidence: { seq: end.seq, shows: `alert ${alert}, ${name}` }, surely: true };
    // TLS 1.3 of Node's clients: they have our certificate by then, and go without a word.
    const seen = conversation.passed.networkOut > 0 && facts.hello !== undefined;
    if (alert !== undefined || !seen || !/ECONNRESET|EPIPE|ECONNABORTED/.test(code)) return undefined;
    return { evidence: { seq: end.seq, shows: 'the client left when it had our certificate' }, surely: false };
  }
  // Browsers open connections that they may not need: their silence says nothing.
  if (conversation.protocol === 'http' || closed?.by !== 'peer' || spokenAfter(facts, end.at)) return undefined;
  if (closed.at - end.at > LEFT_AT_ONCE_MS) return undefined;
  const after = Math.max(1, Math.round(closed.at - end.at));
  return {
    evidence: { seq: closed.seq, shows: `closed ${after} ms after the handshake, without a command` },
    surely: false,
  };
}

function spokenAfter({ events }: Facts, at: number): boolean {
  return events.some(
    (event) => event.type === 'octets' && event.direction === 'in' && event.view === 'ends' && event.at >= at,
  );
}

/** What the client called us, if the certificate has no such name. */
function wrongName({ hello, context, conversation }: Facts): string | undefined {
  const name = hello?.value.serverName ?? conversation.tls?.serverName;
  if (name !== undefined) return context.certifies(name) ? undefined : name;
  return hello !== undefined && !context.certifies(conversation.local.address) ? conversation.local.address : undefined;
}

export const unknownAuthority: Case = {
  id: 'D08',
  title: 'Certificate not trusted',
  seen: 'alert 48, 42, 43, 44 or 46; or TLS done and closed within 100 ms without a command; or gone at the end of the handshake',
  says: 'Your program does not trust our certificate; or: it left right after the handshake, which usually means that.',
  find(facts) {
    const found = refusal(facts);
    if (found === undefined || wrongName(facts) !== undefined) return undefined;
    return {
      severity: 'problem',
      sentence: found.surely
        ? 'Your program does not trust our certificate.'
        : 'Your program left right after the TLS handshake, which usually means that it does not trust our certificate.',
      remedy: facts.context.ownAuthority
        ? 'Install the authority of this server (ca.pem in the data folder, or /ca.crt on the web port), or accept the exception that the program offers.'
        : 'The certificate files of this server are its owner’s: see that they hold the whole chain, and that the program knows the authority.',
      evidence: [found.evidence],
    };
  },
};

export const wrongHostName: Case = {
  id: 'D09',
  title: 'Called by a name that is not in the certificate',
  seen: 'as D08, and the name that the client asked for (SNI), or the address, is not in the certificate',
  says: 'You called me X; the certificate names Y and Z.',
  find(facts) {
    const found = refusal(facts) ?? unrecognized(facts);
    const name = wrongName(facts);
    if (found === undefined || name === undefined) return undefined;
    const names = facts.context.certificateNames();
    const evidence = facts.hello ? [{ seq: facts.hello.seq, shows: nameShown(facts.hello.value.serverName) }] : [];
    return {
      severity: 'problem',
      sentence: `Your program called this server ${name}; the certificate names ${list(names)}.`,
      remedy: facts.context.ownAuthority
        ? `Use one of these names as the server, or add ${name} with GLASSMAIL_TLS_NAMES (--tls-names).`
        : 'Use one of these names as the server.',
      evidence: [...evidence, found.evidence],
    };
  },
};

function nameShown(serverName: string | undefined): string {
  return serverName === undefined ? 'the client asked for no name' : `the client asked for ${serverName}`;
}

/** Alert 112, unrecognized_name: RFC 6066 §3. */
function unrecognized({ handshake }: Facts): { evidence: { seq: number; shows: string } } | undefined {
  const { end } = handshake ?? {};
  if (end?.step.step !== 'failed' || end.step.alert !== 112) return undefined;
  return { evidence: { seq: end.seq, shows: 'alert 112, unrecognized_name' } };
}

export const askingAboutCertificate: Case = {
  id: 'D08b',
  title: 'Silence after the handshake',
  seen: 'TLS done, then two seconds or more without a word from the client',
  says: 'Your program is probably asking you about the certificate.',
  find(facts) {
    const { handshake, now, closed, events, conversation } = facts;
    const { end } = handshake ?? {};
    if (end?.step.step !== 'end' || conversation.protocol === 'http') return undefined;
    const word = events.find(
      (event) => event.type === 'octets' && event.direction === 'in' && event.view === 'ends' && event.at >= end.at,
    );
    const until = word ?? closed;
    if (until === undefined && now < end.at + ASKING_MS) return { lookAgainAt: end.at + ASKING_MS };
    const silence = (until?.at ?? now) - end.at;
    if (silence < ASKING_MS) return undefined;
    return {
      severity: 'note',
      sentence: `After the TLS handshake your program said nothing for ${Math.floor(silence / 1000)} s${until ? '' : ' or more'}: it is probably asking you about the certificate.`,
      remedy:
        'Look for its question and accept the certificate for good, or install the authority, and it asks no more.',
      evidence: [
        { seq: end.seq, shows: 'the handshake ends' },
        ...(until ? [{ seq: until.seq, shows: 'what came next' }] : []),
      ],
    };
  },
};

export const noCommonTls: Case = {
  id: 'D11',
  title: 'No TLS version in common',
  seen: 'no common version or cipher (Node names it in the failed handshake), or alert 40, 70, 71 or 86; also a handshake that fails in another way',
  says: 'Your program offers at most TLS 1.0.',
  inBand: 'alert 70, protocol_version, or 40, handshake_failure',
  find({ handshake, hello, annotations }) {
    const { end } = handshake ?? {};
    if (end?.step.step !== 'failed') return undefined;
    const { code, alert, message } = end.step;
    const isVersion = alert === undefined ? CODES_OF_VERSION.test(code) : ALERTS_OF_VERSION.includes(alert);
    const made = annotations.some(({ annotation }) => annotation.type === 'fault');
    if (isVersion) {
      const highest = hello && highestVersion(hello.value);
      const offers = highest !== undefined && highest < 0x0303 ? `at most ${versionName(highest)}` : 'no cipher';
      return {
        severity: 'problem',
        sentence:
          offers === 'no cipher'
            ? 'Your program and this server have no version and cipher of TLS in common.'
            : `Your program offers ${offers}; this server speaks TLS 1.2 and 1.3.`,
        remedy:
          'Update the program or its TLS library, or permit it TLS 1.2; TLS 1.0 and 1.1 are no longer safe (RFC 8996).',
        evidence: [
          ...(hello && highest !== undefined
            ? [{ seq: hello.seq, shows: `the ClientHello offers up to ${versionName(highest)}` }]
            : []),
          { seq: end.seq, shows: alert === undefined ? code : `alert ${alert}` },
        ],
      };
    }
    // What other cases know better: refused certificates, and what was made to fail on purpose.
    if (made || alert !== undefined || /ECONNRESET|EPIPE|ECONNABORTED/.test(code)) return undefined;
    return {
      severity: 'problem',
      title: 'The TLS handshake failed',
      sentence: `What came where the TLS handshake should be could not be read: ${message.slice(0, 200)}.`,
      remedy:
        'If the program went on in clear after STARTTLS, its STARTTLS support is switched off half-way: choose SSL/TLS, or update it.',
      evidence: [{ seq: end.seq, shows: code }],
    };
  },
};
