/** What looks strange and is harmless (D30). */
import type { Case } from './case.ts';
import { isGuess } from './logins.ts';

const REQUESTS: readonly (readonly [RegExp, string])[] = [
  [/^\S+ \/autodiscover\/autodiscover\.(?:xml|json)/i, 'a mail program looks for its settings, as Outlook does'],
  [
    /^GET \/(?:mail\/config-v1\.1\.xml|\.well-known\/autoconfig\/)/i,
    'a mail program looks for its settings, as Thunderbird does',
  ],
  [
    /^(?:PROPFIND |(?:GET|OPTIONS|HEAD) \/\.well-known\/(?:carddav|caldav))/i,
    'a program looks for address books and calendars',
  ],
  [/^PUT \/ /i, 'a program tries whether this is a server for calendars'],
  [/^GET \/\.well-known\/user-agent-configuration\.json/i, 'a mail program looks for its settings'],
  [/^(?:GET|HEAD) \/(?:favicon\.ico|apple-touch-icon)/i, 'a browser looks for a picture of the site'],
];

export const harmlessNoise: Case = {
  id: 'D30',
  title: 'Looking around: harmless',
  seen: 'requests of Autodiscover, autoconfiguration, CardDAV and CalDAV, `PUT /`; Thunderbird’s guesses (`EHLO we-guess.mozilla.org`)',
  says: 'Looking for address books and calendars: harmless.',
  inBand: '404 at once, where there is nothing',
  find(facts) {
    const { conversation, spoken, exchanges } = facts;
    if (conversation.protocol !== 'http') {
      if (!isGuess(facts)) return undefined;
      return {
        severity: 'note',
        sentence:
          'A mail program looks which ports answer, as Thunderbird does before it asks for the password: harmless.',
        remedy: 'Nothing is to be done.',
        evidence: [{ seq: exchanges[0]!.command.seq, shows: `"${exchanges[0]!.command.text}"` }],
      };
    }
    for (const { side, text, seq } of spoken) {
      const known = side === 'client' ? REQUESTS.find(([sign]) => sign.test(text)) : undefined;
      if (known === undefined) continue;
      return {
        severity: 'note',
        sentence: `Here ${known[1]}: harmless.`,
        remedy: 'Nothing is to be done.',
        evidence: [{ seq, shows: `"${/^[^?\r\n]{1,80}/.exec(text)![0]}"` }],
      };
    }
    return undefined;
  },
};
