import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import { eventValue } from '../../src/glass/conversation.ts';
import { makeVeil } from '../../src/glass/veil.ts';
import type { VeilContext } from '../../src/glass/veil.ts';
import type { Annotation } from '../../src/wire/connection.ts';
import type { Direction, RecordedEvent, View } from '../../src/wire/recorder.ts';

type Said = readonly [Direction, string];

/** Events as a recorder would number them. */
function recorded(said: readonly Said[], view: View = 'both'): RecordedEvent[] {
  const position = { in: 0, out: 0 };
  return said.map(([direction, text], i) => {
    const octets = Buffer.from(text, 'latin1');
    const event = {
      type: 'octets',
      seq: i + 1,
      at: i,
      direction,
      view,
      position: position[direction],
      octets,
    } as const;
    position[direction] += octets.length;
    return event;
  });
}

function shown(events: readonly RecordedEvent[], context: Partial<VeilContext> = {}): string[] {
  const veil = makeVeil(events, { protocol: 'imap', client: 'in', finished: true, ...context });
  return events.map((event) => {
    const value = eventValue(event, veil);
    return value.type === 'text' ? value.text : value.type === 'binary' ? `binary ${value.base64}` : value.type;
  });
}

/** What is shown of the client's lines, given in one piece each. */
function client(protocol: string, ...said: string[]): string[] {
  const events = recorded(said.map((text) => (text.startsWith('S: ') ? ['out', text.slice(3)] : ['in', text])));
  return shown(events, { protocol }).filter((_, i) => events[i]!.type === 'octets' && !said[i]!.startsWith('S: '));
}

const dots = (count: number): string => '•'.repeat(count);

describe('IMAP', () => {
  it.each([
    ['a LOGIN alice hunter2\r\n', `a LOGIN alice${dots(8)}\r\n`],
    ['a LOGIN "alice" "hun ter\\"2"\r\n', `a LOGIN "alice"${dots(13)}\r\n`],
    ['a  login\talice   hunter2\r\n', `a  login\talice${dots(10)}\r\n`],
    // Too many arguments, too few, a broken quotation: refused, and hidden.
    ['a LOGIN alice hunter2 extra\r\n', `a LOGIN alice${dots(14)}\r\n`],
    ['a LOGIN hunter2\r\n', `a LOGIN${dots(8)}\r\n`],
    ['a LOGIN "alice hunter2\r\n', `a LOGIN${dots(15)}\r\n`],
    ['LOGIN alice hunter2\r\n', `LOGIN alice${dots(8)}\r\n`],
    ['a LOGIN alice hunter2\n', `a LOGIN alice${dots(8)}\n`],
    ['a AUTHENTICATE PLAIN AGFsaWNlAGdsYXNz\r\n', `a AUTHENTICATE PLAIN${dots(17)}\r\n`],
    ['a authenticate AGFsaWNlAGdsYXNz\r\n', `a authenticate ${dots(16)}\r\n`],
    // A client of another protocol at the wrong port.
    ['AUTH PLAIN AGFsaWNlAGdsYXNz\r\n', `AUTH PLAIN${dots(17)}\r\n`],
    ['PASS hunter2\r\n', `PASS ${dots(7)}\r\n`],
    // No secrets.
    ['a SELECT INBOX\r\n', 'a SELECT INBOX\r\n'],
    ['DONE\r\n', 'DONE\r\n'],
    ['a SEARCH SUBJECT "my login"\r\n', 'a SEARCH SUBJECT "my login"\r\n'],
  ])('%j', (said, expected) => {
    expect(client('imap', said)).toEqual([expected]);
  });

  it('hides passwords in literals, and shows the name', () => {
    expect(
      client(
        'imap',
        'a LOGIN {5}\r\n',
        'S: + go on\r\n',
        'alice {7}\r\n',
        'S: + go on\r\n',
        'hunter2\r\n',
        'a2 NOOP\r\n',
      ),
    ).toEqual(['a LOGIN {5}\r\n', `alice${dots(4)}\r\n`, `${dots(7)}\r\n`, 'a2 NOOP\r\n']);
    expect(client('imap', 'a LOGIN {5+}\r\nalice {8+}\r\nhunt\r\n77\r\nb NOOP\r\n')).toEqual([
      `a LOGIN {5+}\r\nalice${dots(5)}\r\n${dots(8)}\r\nb NOOP\r\n`,
    ]);
  });

  it('shows the parenthesis behind a literal of UTF8', () => {
    const said = [
      'a LOGIN bob x\r\n',
      'b APPEND Drafts UTF8 (~{5+}\r\nGruss)\r\n',
      'c APPEND Drafts UTF8 (~{7+}\r\nGruss\r\n)\r\n',
    ];
    expect(client('imap', ...said).slice(1)).toEqual(said.slice(1));
  });

  it('hides a literal that the client sends although its command was refused', () => {
    expect(client('imap', 'a LOGIN {5}\r\n', 'S: a NO not in clear\r\n', 'alice\r\n', 'hunter2\r\n')).toEqual([
      'a LOGIN {5}\r\n',
      `${dots(5)}\r\n`,
      `${dots(7)}\r\n`,
    ]);
  });

  it('hides all lines of an exchange until the server ends it, and a late one too', () => {
    expect(
      client(
        'imap',
        'a AUTHENTICATE SCRAM-SHA-256\r\n',
        'S: + \r\n',
        'biwsbj11c2Vy\r\n',
        'S: + cj1ubw==\r\n',
        'Yz1iaXdz\r\nmore of it\r\n',
        'S: * CAPABILITY IMAP4rev2\r\na OK done\r\n',
        'Yz1i\r\n',
        'b NOOP\r\n',
      ),
    ).toEqual([
      'a AUTHENTICATE SCRAM-SHA-256\r\n',
      `${dots(12)}\r\n`,
      `${dots(8)}\r\n${dots(10)}\r\n`,
      `${dots(4)}\r\n`,
      'b NOOP\r\n',
    ]);
  });

  it("hides the server's signature in SCRAM", () => {
    const events = recorded([
      ['in', 'a AUTHENTICATE SCRAM-SHA-256 biws\r\n'],
      ['out', '+ cj1ubw==\r\n'],
      ['in', 'Yz1iaXdz\r\n'],
      ['out', '+ dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9\r\n'],
    ]);
    expect(shown(events)[3]).toBe(`+ ${dots(40)}\r\n`);
  });

  it('leaves messages alone', () => {
    const message = 'I LOGIN every day\r\nPASS the salt\r\n';
    expect(client('imap', `a APPEND INBOX {${message.length}}\r\n`, 'S: + go on\r\n', `${message}\r\n`)).toEqual([
      `a APPEND INBOX {${message.length}}\r\n`,
      `${message}\r\n`,
    ]);
    // Not asked for yet: the server may read it as commands.
    expect(client('imap', `a APPEND INBOX {${message.length}}\r\n${message}\r\n`)[0]).toContain('PASS •');
  });

  it('hides an unfinished line until its end is known', () => {
    const events = recorded([['in', 'a NOOP\r\na LOGIN alice hun']]);
    expect(shown(events, { finished: false })).toEqual([`a NOOP\r\n${dots(17)}`]);
    expect(shown(events)).toEqual([`a NOOP\r\na LOGIN alice${dots(4)}`]);
  });

  it('hides what a gap has cut', () => {
    const events = recorded([['in', 'a NOOP\r\na LOGIN ali']]);
    const after = {
      ...recorded([['in', 'ce hunter2\r\nhunter2\r\nb NOOP\r\n']])[0],
      seq: 9,
      position: 4000,
    } as RecordedEvent;
    expect(shown([...events, after])).toEqual([`a NOOP\r\n${dots(11)}`, `${dots(10)}\r\n${dots(7)}\r\nb NOOP\r\n`]);
  });

  it('goes on in a literal that reaches over a gap', () => {
    const events = recorded([['in', 'a APPEND INBOX {5000+}\r\nSubject: PASS x\r\n']]);
    const after = { ...recorded([['in', 'PASS y\r\n']])[0], seq: 9, position: 4000 } as RecordedEvent;
    expect(shown([...events, after])[1]).toBe('PASS y\r\n');
  });
});

describe('POP3', () => {
  it.each([
    ['USER alice\r\nPASS hunter 2\r\n', `USER alice\r\nPASS ${dots(8)}\r\n`],
    ['pass   hunter2\r\n', `pass   ${dots(7)}\r\n`],
    ['USER alice hunter2\r\n', `USER alice ${dots(7)}\r\n`],
    ['APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n', `APOP alice ${dots(32)}\r\n`],
    ['AUTH PLAIN AGFsaWNlAGdsYXNz\r\n', `AUTH PLAIN${dots(17)}\r\n`],
    ['a1 LOGIN alice hunter2\r\n', `a1 LOGIN alice${dots(8)}\r\n`],
    ['RETR 1\r\nUIDL\r\n', 'RETR 1\r\nUIDL\r\n'],
  ])('%j', (said, expected) => {
    expect(client('pop3', said)).toEqual([expected]);
  });

  it('hides an exchange until +OK or -ERR', () => {
    expect(
      client(
        'pop3',
        'AUTH LOGIN\r\n',
        'S: + VXNlcg==\r\n',
        'YWxp\r\n',
        'S: + UGFz\r\n',
        'aHVu\r\n',
        'S: -ERR no\r\n',
        'STAT\r\n',
      ),
    ).toEqual(['AUTH LOGIN\r\n', `${dots(4)}\r\n`, `${dots(4)}\r\n`, 'STAT\r\n']);
  });
});

describe('SMTP', () => {
  it.each([
    ['AUTH PLAIN AGFsaWNlAGdsYXNz\r\n', `AUTH PLAIN${dots(17)}\r\n`],
    ['auth  login dXNlcg==\r\n', `auth  login${dots(9)}\r\n`],
    ['AUTH XOAUTH2 dXNl cg==\r\n', `AUTH XOAUTH2${dots(10)}\r\n`],
    ['AUTH=PLAIN AGFsaWNl\r\n', `AUTH=PLAIN${dots(9)}\r\n`],
    ['MAIL FROM:<a@b.test> AUTH=<>\r\n', 'MAIL FROM:<a@b.test> AUTH=<>\r\n'],
    ['EHLO auth.glass.test\r\n', 'EHLO auth.glass.test\r\n'],
    ['AGFsaWNlAGdsYXNz\r\n', `${dots(16)}\r\n`],
  ])('%j', (said, expected) => {
    expect(client('smtp', said)).toEqual([expected]);
  });

  it('hides all lines of an exchange, wrapped ones too, also when replies to earlier commands arrive in between', () => {
    expect(
      client(
        'smtp',
        'EHLO x\r\nAUTH OAUTHBEARER\r\n',
        'S: 250-hello\r\n250 AUTH\r\n',
        'S: 334 \r\n',
        'bixhPWFsaWNl\r\nIHdyYXBwZWQ=\r\n',
        'S: 535 5.7.8 no\r\n',
        'AQ==\r\n',
        'QUIT\r\n',
      ),
    ).toEqual(['EHLO x\r\nAUTH OAUTHBEARER\r\n', `${dots(12)}\r\n${dots(12)}\r\n`, `${dots(4)}\r\n`, 'QUIT\r\n']);
  });

  it('leaves messages alone, and looks again when they have ended', () => {
    expect(
      client(
        'smtp',
        'DATA\r\n',
        'S: 354 go on\r\n',
        'AUTH PLAIN AGFsaWNl\r\nPASS hunter2\r\nYWxsIGdvb2QgdGhpbmdzIGFyZSB0aHJlZQ==\r\n',
        '.\r\nAUTH PLAIN AGFsaWNl\r\n',
      ),
    ).toEqual([
      'DATA\r\n',
      'AUTH PLAIN AGFsaWNl\r\nPASS hunter2\r\nYWxsIGdvb2QgdGhpbmdzIGFyZSB0aHJlZQ==\r\n',
      `.\r\nAUTH PLAIN${dots(9)}\r\n`,
    ]);
  });

  it('takes any reply for the end of the message', () => {
    expect(client('smtp', 'DATA\r\n', 'S: 354 go on\r\n', 'x\r\n', 'S: 421 bye\r\n', 'AUTH PLAIN AGFs\r\n')[2]).toBe(
      `AUTH PLAIN${dots(5)}\r\n`,
    );
  });

  it('sees the client in what this server sends when it has dialled', () => {
    const events = recorded([
      ['in', '220 hello\r\n'],
      ['out', 'AUTH PLAIN AGFs\r\n'],
    ]);
    expect(shown(events, { protocol: 'smtp', client: 'out' })[1]).toBe(`AUTH PLAIN${dots(5)}\r\n`);
  });
});

describe('HTTP', () => {
  const http = (text: string, direction: Direction = 'in'): string =>
    shown(recorded([[direction, text]]), { protocol: 'http' })[0]!;

  it.each([
    [
      'GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nHost: x\r\n\r\n',
      `GET / HTTP/1.1\r\nAuthorization: Basic${dots(5)}\r\nHost: x\r\n\r\n`,
    ],
    [
      'GET / HTTP/1.1\r\nAUTHORIZATION:dTpw\r\n  more\r\nHost: x\r\n\r\n',
      `GET / HTTP/1.1\r\nAUTHORIZATION:${dots(4)}\r\n${dots(6)}\r\nHost: x\r\n\r\n`,
    ],
    ['GET / HTTP/1.1\r\nCookie: a=b\r\n\r\n', `GET / HTTP/1.1\r\nCookie:${dots(4)}\r\n\r\n`],
    [
      'POST / HTTP/1.1\r\n\r\n{"login":"bob","password":"hun\\"ter"}',
      `POST / HTTP/1.1\r\n\r\n{"login":"bob","password":"${dots(8)}"}`,
    ],
    [
      'POST / HTTP/1.1\r\n\r\n{"p\\u0061ssword" : "hunter"}',
      `POST / HTTP/1.1\r\n\r\n{"p\\u0061ssword" : "${dots(6)}"}`,
    ],
    ['POST / HTTP/1.1\r\n\r\n{"password":12345,"a":1}', `POST / HTTP/1.1\r\n\r\n{"password":${dots(5)},"a":1}`],
    ['POST / HTTP/1.1\r\n\r\n{"token":"abc', `POST / HTTP/1.1\r\n\r\n{"token":"${dots(3)}`],
    [
      'POST / HTTP/1.1\r\n\r\n4\r\n"pas\r\n6\r\nsword"\r\n5\r\n:"hun\r\n5\r\nter2"\r\n',
      `POST / HTTP/1.1\r\n\r\n4\r\n"pas\r\n6\r\nsword"\r\n5\r\n:"${dots(12)}"\r\n`,
    ],
    ['GET /?token=abc&x=1 HTTP/1.1\r\n\r\n', `GET /?token=${dots(3)}&x=1 HTTP/1.1\r\n\r\n`],
    ['GET http://u:pw@h/ HTTP/1.1\r\n\r\n', `GET http://u:${dots(2)}@h/ HTTP/1.1\r\n\r\n`],
    // A mail client at the wrong port.
    ['a LOGIN alice hunter2\r\n', `a LOGIN alice${dots(8)}\r\n`],
  ])('%j', (said, expected) => {
    expect(http(said)).toBe(expected);
  });

  it('hides cookies that the server sets, and shows what it asks for', () => {
    expect(http('HTTP/1.1 401 No\r\nSet-Cookie: s=1\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n', 'out')).toBe(
      `HTTP/1.1 401 No\r\nSet-Cookie:${dots(4)}\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n`,
    );
  });

  it('is recognised on a mail port', () => {
    expect(client('imap', 'GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\n\r\n{"password":"x"}')[0]).toBe(
      `GET / HTTP/1.1\r\nAuthorization: Basic${dots(5)}\r\n\r\n{"password":"•"}`,
    );
  });
});

describe("the network's view", () => {
  const record = (length: number): string => `\x17\x03\x03\x00${String.fromCharCode(length)}${'Z'.repeat(length)}`;

  it('shows TLS records', () => {
    const [first] = shown(recorded([['in', record(20) + record(30)]], 'network'));
    expect(Buffer.from(first!.replace('binary ', ''), 'base64').toString('latin1')).toBe(record(20) + record(30));
  });

  it('hides what a client says in clear where TLS was agreed on', () => {
    expect(shown(recorded([['in', 'a LOGIN alice hunter2\r\n']], 'network'))).toEqual([dots(23)]);
  });
});

it.each([
  ['http', 'token'.repeat(200_000)],
  ['http', `GET / HTTP/1.1\r\n\r\n${'"'.repeat(1_000_000)}`],
  ['http', `GET / HTTP/1.1\r\n\r\n${'//a:b'.repeat(200_000)}`],
  ['http', `GET / HTTP/1.1\r\n\r\n"x"${' '.repeat(1_000_000)}`],
  ['imap', ' '.repeat(1_000_000)],
  ['imap', 'a '.repeat(500_000)],
  ['imap', `a LOGIN "${'\\"'.repeat(500_000)}`],
  ['imap', `a {${'1{'.repeat(500_000)}`],
])('%s: no octets make it slow: %.40s', (protocol, octets) => {
  const started = performance.now();
  shown(recorded([['in', `${octets}\r\n`]]), { protocol });
  expect(performance.now() - started).toBeLessThan(3_000);
});

it('hides what a session marks', () => {
  const annotation: Annotation = { type: 'secret', direction: 'out', position: 3, octets: 4 };
  const events = [...recorded([['out', 'a: hush b\r\n']]), { type: 'annotation', seq: 2, at: 1, annotation } as const];
  expect(shown(events)[0]).toBe(`a: ${dots(4)} b\r\n`);
});

describe('property: nothing of a secret is ever shown', () => {
  // No dialogue below has one of these octets anywhere else.
  const secret = fc.string({ unit: fc.constantFrom('7', '8', '9', 'Z', 'J', 'K'), minLength: 4, maxLength: 40 });
  const dialogues: readonly { readonly protocol: string; readonly said: (s: string) => readonly Said[] }[] = [
    {
      protocol: 'imap',
      said: (s) => [
        ['out', '* OA hi\r\n'],
        ['in', `a LOGIN bob ${s}\r\n`],
        ['out', 'a NO bad\r\n'],
        ['in', 'b LOGOUT\r\n'],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', `a LOGIN "bob" "${s} ${s}"\r\nb NOOP\r\n`],
        ['out', 'a NO bad\r\n'],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', 'a LOGIN {3}\r\n'],
        ['out', '+ go\r\n'],
        ['in', 'bob {1}\r\n'],
        ['out', '+ go\r\n'],
        ['in', `${s}\r\n`],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', `a LOGIN bob {5+}\r\n${s}\r\nb NOOP\r\n`],
        ['out', 'a NO bad\r\n'],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', 'a AUTHENTICATE PLAIN\r\n'],
        ['out', '+ \r\n'],
        ['in', `${s}\r\n`],
        ['out', 'a NO bad\r\n'],
        ['in', `${s}\r\n`],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', `a AUTHENTICATE PLAIN ${s}\r\nb NOOP\r\n`],
        ['out', 'a NO bad\r\n'],
      ],
    },
    {
      protocol: 'imap',
      said: (s) => [
        ['in', `a AUTHENTICATE ${s}\r\n`],
        ['out', 'a BAD bad\r\n'],
      ],
    },
    {
      protocol: 'pop3',
      said: (s) => [
        ['out', '+OA hi\r\n'],
        ['in', 'USER bob\r\n'],
        ['out', '+OA\r\n'],
        ['in', `PASS ${s} ${s}\r\n`],
        ['out', '-ERR\r\n'],
      ],
    },
    {
      protocol: 'pop3',
      said: (s) => [
        ['in', 'AUTH LOGIN\r\n'],
        ['out', '+ x\r\n'],
        ['in', `${s}\r\n`],
        ['out', '+ y\r\n'],
        ['in', `${s}\r\n`],
      ],
    },
    {
      protocol: 'smtp',
      said: (s) => [
        ['in', 'EHLO a\r\nAUTH LOGIN\r\n'],
        ['out', '250 a\r\n334 x\r\n'],
        ['in', `${s}\r\n`],
        ['out', '334 x\r\n'],
        ['in', `${s}\r\n`],
        ['out', '535 no\r\n'],
      ],
    },
    {
      protocol: 'smtp',
      said: (s) => [
        ['in', `AUTH SCRAM-SHA-256 ${s}\r\n`],
        ['out', '334 x\r\n'],
        ['in', `${s}\r\n${s}\r\n`],
        ['out', '535 no\r\n'],
        ['in', 'QUIT\r\n'],
      ],
    },
    {
      protocol: 'smtp',
      said: (s) => [
        ['in', 'DATA\r\n'],
        ['out', '354 go\r\n'],
        ['in', 'x\r\n.\r\n'],
        ['out', '250\r\n'],
        ['in', `auth plain ${s}\r\n`],
      ],
    },
    {
      protocol: 'http',
      said: (s) => [
        ['in', `GET / HTTP/1.1\r\nauthorization : ${s}\r\nCookie: ${s}\r\n\r\n{"a":1,"newPassword": "${s}"}`],
        ['out', `HTTP/1.1 200\r\nSet-Cookie: ${s}\r\n\r\n`],
      ],
    },
  ];

  /** Cuts what was said anywhere, and now and then sends two turns of one side together. */
  function cut(said: readonly Said[], cuts: readonly number[]): Said[] {
    const pieces: Said[] = [];
    let next = 0;
    for (const [direction, text] of said) {
      let rest = text;
      while (rest.length > 0) {
        const length = 1 + ((cuts[next++ % cuts.length] ?? 0) % rest.length);
        pieces.push([direction, rest.slice(0, length)]);
        rest = rest.slice(length);
      }
    }
    return pieces;
  }

  it.each(
    dialogues.map(
      (dialogue, i) =>
        [
          `${i} ${dialogue.protocol} ${dialogue
            .said('•')
            .map(([, text]) => text)
            .join('')}`,
          dialogue,
        ] as const,
    ),
  )('%j', (_, { protocol, said }) => {
    fc.assert(
      fc.property(secret, fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }), (s, cuts) => {
        const events = recorded(cut(said(s), cuts));
        for (let known = 1; known <= events.length; known++) {
          const texts = shown(events.slice(0, known), { protocol, finished: known === events.length });
          expect(texts.join('')).not.toMatch(/[789ZJK]/);
        }
        // And each octet that is not hidden stands where it stood.
        const whole = recorded(said(s));
        const octets = events.reduce((sum, event) => sum + (event.type === 'octets' ? event.octets.length : 0), 0);
        expect(shown(events, { protocol }).join('')).toHaveLength(octets);
        expect(shown(events, { protocol }).join('')).toBe(shown(whole, { protocol }).join(''));
      }),
      { numRuns: 150 },
    );
  });

  it.each(dialogues.map((dialogue, i) => [i, dialogue] as const))(
    'of dialogue %i with a gap anywhere in it',
    (_, { protocol, said }) => {
      fc.assert(
        fc.property(
          secret,
          fc.array(fc.nat(60), { minLength: 1, maxLength: 12 }),
          fc.nat(),
          fc.nat(),
          (s, cuts, from, count) => {
            const events = recorded(cut(said(s), cuts));
            // The start of a conversation is always kept.
            const first = 1 + (from % events.length);
            const kept = events.filter((__, i) => i < first || i >= first + 1 + (count % 4));
            expect(shown(kept, { protocol }).join('')).not.toMatch(/[789ZJK]/);
          },
        ),
        { numRuns: 150 },
      );
    },
  );
});
