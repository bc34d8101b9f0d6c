/** What may come now. */
import type { Hint } from './hint.ts';
import { imapHints } from './imap-hints.ts';
import { pop3Hints } from './pop3-hints.ts';
import { smtpHints } from './smtp-hints.ts';
import type { Standing } from './standing.ts';

/** What a beginner needs comes first, the rest in the order of the protocol's RFC; empty where no command may come. */
export function hintsOf(standing: Standing): readonly Hint[] {
  switch (standing.expects.type) {
    case 'command':
      break;
    case 'idle':
      return [DONE];
    case 'sasl':
      return [CANCEL[standing.protocol]];
    case 'greeting':
    case 'reply':
    case 'message':
    case 'octets':
    case 'handshake':
    case 'nothing':
      return [];
  }
  switch (standing.protocol) {
    case 'smtp':
      return smtpHints(standing);
    case 'imap':
      return imapHints(standing);
    case 'pop3':
      return pop3Hints(standing);
  }
}

const DONE: Hint = {
  command: 'DONE',
  template: 'DONE',
  what: 'End the waiting. It has no tag: it belongs to IDLE.',
  rfc: { number: 9051, section: '6.3.13' },
  usual: true,
};

const cancel = (number: number, section: string): Hint => ({
  command: '*',
  template: '*',
  what: 'Give the login up; anything else is an answer in base64.',
  rfc: { number, section },
  usual: true,
});
const CANCEL = { smtp: cancel(4954, '4'), imap: cancel(9051, '6.2.2'), pop3: cancel(5034, '4') } as const;
