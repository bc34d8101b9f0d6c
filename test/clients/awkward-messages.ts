/**
 * Messages of every shape that MIME and its misuse have, by their names: what a reader of mail meets in the wild. All
 * lines end with CRLF, but those of messages that are about their line ends.
 */

const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
/** One character is one octet. */
const octets = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');

const HEAD = `Date: Wed, 1 Jul 2026 12:00:00 +0200
From: Alice <alice@red.test>
To: Bob <bob@blue.test>
Message-ID: <1@red.test>
`;

const mixed = (...parts: readonly string[]): string =>
  `${HEAD}Subject: parts\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n${parts.map((part) => `--b\n${part}\n`).join('')}--b--\n`;

const text = (body: string): string => `Content-Type: text/plain\n\n${body}`;

export const MESSAGES: Readonly<Record<string, Buffer>> = {
  // -------------------------------------------------------------------------------------------------- one part
  plain: crlf(`${HEAD}Subject: plain\n\nThe quick brown fox\njumps over the lazy dog.\n`),
  'no body': crlf(`${HEAD}Subject: no body\n\n`),
  'no empty line': crlf(`${HEAD}Subject: no empty line\n`),
  'only a body': crlf('\nNo header at all.\n'),
  'no line end at the end': crlf(`${HEAD}Subject: cut\n\nLast line without an end`),
  'one empty line': crlf('\n'),
  'one octet': crlf('x'),
  'a header that is cut': crlf('Subject: cut\nFrom: a@b'),
  html: crlf(`${HEAD}Subject: html\nContent-Type: text/html; charset=utf-8\n\n<p>Hello &amp; bye</p>\n`),
  'quoted-printable': crlf(
    `${HEAD}Subject: qp\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe, a long=\n line, and =3D.\n`,
  ),
  base64: crlf(
    `${HEAD}Subject: base64\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64\n\nR3LDvMOfZQ0Kend\nlaQ0K\n`,
  ),
  binary: crlf(
    `${HEAD}Subject: octets\nMIME-Version: 1.0\nContent-Type: application/octet-stream; name=bytes.bin\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=bytes.bin; size=9\n\nAAECAwQFBgcI\n`,
  ),
  'all fields of a body': crlf(
    `${HEAD}Subject: fields\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes\nContent-Transfer-Encoding: 7bit\nContent-ID: <part@red.test>\nContent-Description: a description\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\nContent-Disposition: inline; filename="a file.txt"; creation-date="Wed, 1 Jul 2026 12:00:00 +0200"\nContent-Language: en, de\nContent-Location: http://red.test/a\n\nbody\n`,
  ),
  'one language': crlf(`${HEAD}Subject: language\nContent-Type: text/plain\nContent-Language: de\n\nkurz\n`),
  'a type without subtype': crlf(`${HEAD}Subject: type\nContent-Type: text\n\nbody\n`),
  'a type that is no type': crlf(`${HEAD}Subject: type\nContent-Type: ;;; nonsense/\n\nbody\n`),
  'an empty type': crlf(`${HEAD}Subject: type\nContent-Type:\n\nbody\n`),
  'a type with comments': crlf(
    `${HEAD}Subject: type\nContent-Type: text (yes) / (no) enriched; (x) charset (y) = (z) "utf-8" (end)\n\nbody\n`,
  ),
  'a type in capitals': crlf(`${HEAD}Subject: type\nCONTENT-TYPE: TEXT/PLAIN; CHARSET=UTF-8\n\nbody\n`),
  'a folded type': crlf(
    `${HEAD}Subject: type\nContent-Type: text/plain;\n\tcharset="utf-8";\n  format=flowed\n\nbody\n`,
  ),
  'an unknown encoding': crlf(
    `${HEAD}Subject: uue\nContent-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbody\n`,
  ),
  'parameters of RFC 2231': crlf(
    `${HEAD}Subject: rfc2231\nContent-Type: application/pdf; name*0*=utf-8'en'Gr%C3%BC; name*1*=%C3%9Fe; name*2=".pdf"\nContent-Disposition: attachment;\n filename*=utf-8''%e2%82%ac%20rates.pdf\n\npdf\n`,
  ),
  'an encoded word as a file name': crlf(
    `${HEAD}Subject: name\nContent-Type: text/plain; name="=?utf-8?Q?Gr=C3=BC=C3=9Fe=2Etxt?="\nContent-Disposition: attachment; filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe=2Etxt?="\n\ntext\n`,
  ),
  'quotes in parameters': crlf(
    `${HEAD}Subject: quotes\nContent-Type: text/plain; name="a \\"b\\" \\\\ c"; x=y;; z="";\n\ntext\n`,
  ),

  // -------------------------------------------------------------------------------------------------- several parts
  'two parts': crlf(mixed(text('one'), text('two\n'))),
  alternative: crlf(
    `${HEAD}Subject: alternative\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=frontier\n\npreamble\n--frontier\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nplain =E2=82=AC\n--frontier\nContent-Type: text/html; charset=utf-8\n\n<b>html</b>\n--frontier--\nepilogue\n`,
  ),
  'multiparts in multiparts': crlf(
    `${HEAD}Subject: nested\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: multipart/alternative; boundary=middle\n\n--middle\n${text('plain')}\n--middle\nContent-Type: multipart/related; boundary=inner; type="text/html"\n\n--inner\nContent-Type: text/html\n\n<img src="cid:x">\n--inner\nContent-Type: image/png\nContent-ID: <x>\nContent-Transfer-Encoding: base64\nContent-Disposition: inline\n\niVBORw0KGgo=\n--inner--\n--middle--\n--outer\nContent-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--outer--\n`,
  ),
  'a boundary that begins another': crlf(
    `${HEAD}Subject: boundaries\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n${text('inner')}\n--bb--\n--b\n${text('outer')}\n--b--\n`,
  ),
  'a message inside': crlf(
    mixed(
      text('before'),
      `Content-Type: message/rfc822\nContent-Description: forwarded\nContent-Disposition: attachment\n\nDate: Tue, 30 Jun 2026 10:00:00 +0000\nFrom: Carol <carol@green.test>\nTo: dave@green.test\nSubject: inside\nMessage-ID: <inside@green.test>\nContent-Type: text/plain; charset=utf-8\n\nThe message inside.\nIt has two lines.`,
    ),
  ),
  'a message that is a message': crlf(
    `${HEAD}Subject: outer\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: inner\nFrom: carol@green.test\n\ninner body\n`,
  ),
  'a multipart in a message': crlf(
    mixed(
      `Content-Type: message/rfc822\n\nSubject: inside\nFrom: carol@green.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=inside\n\n--inside\n${text('first')}\n--inside\nContent-Type: text/html\n\n<i>second</i>\n--inside--\n`,
      text('after'),
    ),
  ),
  'three messages deep': crlf(
    `${HEAD}Subject: 1\nContent-Type: message/rfc822\n\nSubject: 2\nContent-Type: message/rfc822\n\nSubject: 3\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${text('deep')}\n--b--\n`,
  ),
  digest: crlf(
    `${HEAD}Subject: digest\nMIME-Version: 1.0\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: first\nFrom: a@b.test\n\none\n--d\n\nSubject: second\n\ntwo\n--d\nContent-Type: text/plain\n\nnot a message\n--d--\n`,
  ),
  report: crlf(
    `${HEAD}Subject: report\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n${text('It failed.')}\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; red.test\n\nFinal-Recipient: rfc822; bob@blue.test\nAction: failed\nStatus: 5.1.1\n\n--r\nContent-Type: text/rfc822-headers\n\nSubject: lost\n\n--r--\n`,
  ),
  'empty parts': crlf(
    `${HEAD}Subject: empty\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=e\n\n--e\n\n--e\nContent-Type: text/plain\n\n--e\nContent-Type: text/html\n--e\n\n\n--e--\n`,
  ),
  'no parts': crlf(
    `${HEAD}Subject: none\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=n\n\nNo boundary line here.\n`,
  ),
  'only the end': crlf(`${HEAD}Subject: end\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=n\n\n--n--\n`),
  'no end': crlf(
    `${HEAD}Subject: open\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=n\n\n--n\n${text('one')}\n--n\n${text('two')}\n`,
  ),
  'no boundary': crlf(
    `${HEAD}Subject: no boundary\nMIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--x\n${text('one')}\n--x--\n`,
  ),
  'blanks behind boundaries': crlf(
    `${HEAD}Subject: blanks\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="with blank"\n\n--with blank  \n${text('one')}\n--with blank\t\n${text('two')}\n--with blank--  \n`,
  ),
  'a lone multipart': crlf(
    `${HEAD}Subject: lone\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${text('alone')}\n--b--\n`,
  ),
  'a multipart without MIME-Version': crlf(
    `${HEAD}Subject: old\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${text('one')}\n--b--\n`,
  ),
  'encoded parts': crlf(
    mixed(
      'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nb25lDQp0d28NCg==',
      'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n  AAEC\n\nAwQ=',
      'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc  \nd=20\n',
      'Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nGrüße',
    ),
  ),
  'many parts': crlf(mixed(...Array.from({ length: 12 }, (_, number) => text(`part ${number + 1}`)))),

  // -------------------------------------------------------------------------------------------------- headers
  'encoded words': crlf(
    `Date: Wed, 1 Jul 2026 12:00:00 +0200\nFrom: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <j@red.test>\nTo: =?iso-8859-1?Q?Andr=E9?= <a@red.test>, "=?utf-8?Q?not_encoded?=" <b@red.test>\nSubject: =?utf-8?B?R3LDvMOf?= =?utf-8?B?ZQ==?= and more\n\nbody\n`,
  ),
  'long headers': crlf(
    `${HEAD}Subject: ${'a long subject '.repeat(120)}\nReferences: ${Array.from({ length: 60 }, (_, number) => `<${number}.reference@red.test>`).join('\n ')}\nX-Long: ${'x'.repeat(3000)}\n\nbody\n`,
  ),
  'folded headers': crlf(
    'Date: Wed, 1 Jul 2026\n 12:00:00 +0200\nFrom: Alice\n\t<alice@red.test>\nSubject: folded\n  twice\n\tand again\nTo: a@red.test,\n b@red.test,\n\tc@red.test\n\nbody\n',
  ),
  'headers twice': crlf(
    `${HEAD}Subject: first\nSubject: second\nFrom: second@red.test\nTo: third@red.test\nCc: c1@red.test\nCc: c2@red.test\nX-Twice: 1\nX-Twice: 2\n\nbody\n`,
  ),
  'empty headers': crlf('Date:\nFrom:\nTo:  \nCc:\nSubject:\nMessage-ID:\nIn-Reply-To:   \n\nbody\n'),
  'all fields of an envelope': crlf(
    'Date: Wed, 1 Jul 2026 12:00:00 +0200\nFrom: a@red.test\nSender: Secretary <s@red.test>\nReply-To: list@red.test, other@red.test\nTo: t@red.test\nCc: c@red.test\nBcc: b@red.test\nSubject: all\nIn-Reply-To: <0@red.test>\nMessage-ID: <all@red.test>\n\nbody\n',
  ),
  'lines that are no header': crlf(
    `${HEAD}this is no header\nSubject: after it\n: no name\nX Y: blank in the name\nSpace : before the colon\n\nbody\n`,
  ),
  'a colon at once': crlf(`${HEAD}Subject:no blank\nX-Empty:\n\nbody\n`),
  'names in any case': crlf(
    'dAtE: Wed, 1 Jul 2026 12:00:00 +0200\nFROM: a@red.test\nsubject: case\nmessage-id: <case@red.test>\n\nbody\n',
  ),
  'a date that is none': crlf('Date: yesterday\nFrom: a@red.test\nSubject: date\n\nbody\n'),
  'an old date': crlf('Date: 3 Feb 98 4:05:06 EST\nFrom: a@red.test\nSubject: old date\n\nbody\n'),
  'no date': crlf('From: a@red.test\nSubject: no date\n\nbody\n'),
  'an undisclosed group': crlf('From: a@red.test\nTo: undisclosed-recipients:;\nSubject: undisclosed\n\nbody\n'),
  'a tab after the colon': crlf('Subject:\ttab\nFrom:\ta@red.test\n\nbody\n'),
  'blanks at the ends of lines': crlf('Subject: blanks   \nFrom: a@red.test  \nX-Blank:   \n  \n\nbody  \n'),
  'quotes and backslashes in a subject': crlf('Subject: a "quoted" \\ word\nFrom: a@red.test\n\nbody\n'),

  // -------------------------------------------------------------------------------------------------- addresses
  groups: crlf(
    'From: a@red.test\nTo: Friends: b@red.test, Carol <c@red.test>;, d@red.test, Nobody:;\nCc: "A Group": e@red.test;\nSubject: groups\n\nbody\n',
  ),
  'addresses without a domain': crlf('From: root\nTo: postmaster, <admin>\nSubject: no domain\n\nbody\n'),
  'quoted local parts': crlf(
    'From: "a b"@red.test\nTo: "with@at"@red.test, "q\\"uote" <"x.y"@red.test>, ".dot."@red.test\nSubject: quoted\n\nbody\n',
  ),
  'names of every kind': crlf(
    'From: "Doe, John" <john@red.test>\nTo: plain name <p@red.test>, (comment) c@red.test, d@red.test (after), "e \\"f\\"" <e@red.test>\nCc: John Q. Public <jqp@red.test>, <bare@red.test>, "" <empty@red.test>\nSubject: names\n\nbody\n',
  ),
  'comments in addresses': crlf(
    'From: a (x) @ (y) red . test (z)\nTo: <b@red.test> (Bob (the) Builder)\nSubject: comments\n\nbody\n',
  ),
  'domain literals': crlf('From: a@[192.0.2.1]\nTo: b@[IPv6:2001:db8::1]\nSubject: literals\n\nbody\n'),
  'source routes': crlf(
    'From: <@one.test,@two.test:a@red.test>\nTo: Route <@relay.test:b@red.test>\nSubject: routes\n\nbody\n',
  ),
  'broken addresses': crlf(
    'From: a@\nTo: @red.test, <>, , ;, b@@red.test, c d@red.test, <e@red.test\nCc: "never closed\nSubject: broken\n\nbody\n',
  ),
  'the null reverse-path': crlf('From: <>\nTo: MAILER-DAEMON <>\nSubject: null\n\nbody\n'),

  // -------------------------------------------------------------------------------------------------- bodies
  'dots and From': crlf(`${HEAD}Subject: dots\n\n.\n..\nFrom here\n>From there\n`),
  'a long line': crlf(`${HEAD}Subject: long\n\n${'0123456789'.repeat(1200)}\n`),
  'empty lines': crlf(`${HEAD}Subject: empty lines\n\n\n\n\n`),
  'eight bits': octets(
    `${HEAD}Subject: eight bits\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\xfc\xdfe\n`,
  ),
  controls: octets(`${HEAD}Subject: control\x07s\n\nbell \x07 escape \x1b delete \x7f\n`),
};

/** Only those who have enabled UTF8=ACCEPT may append them (RFC 6855 §4). */
export const EIGHT_BIT_HEADERS: Readonly<Record<string, Buffer>> = {
  'letters of UTF-8 in the header': crlf(
    `From: Jürgen <j@red.test>\nTo: 你好 <n@red.test>\nSubject: Grüße, 你好\n\nbody\n`,
  ),
  'letters of Latin-1 in the header': octets(
    `From: J\xfcrgen <j@red.test>\nTo: a@red.test\nSubject: Gr\xfc\xdfe\n\nbody\n`,
  ),
  'a mark of the order of octets': crlf('\ufeffSubject: mark\nFrom: a@red.test\n\nbody\n'),
};

/** Lines that end with LF alone, with CR alone, and in every way. */
export const BARE_LINE_ENDS: Readonly<Record<string, Buffer>> = {
  'bare LF': Buffer.from('From: a@red.test\nSubject: bare\nContent-Type: text/plain\n\none\ntwo\n'),
  'some bare LF': Buffer.from('From: a@red.test\r\nSubject: some\r\n\r\none\ntwo\r\nthree\n'),
  'bare CR': Buffer.from('From: a@red.test\r\nSubject: cr\r\n\r\none\rtwo\r\n'),
};

/** @throws for a name that no message has */
export function awkwardOctets(name: string): Buffer {
  const octets = MESSAGES[name];
  if (!octets) throw new Error(`There is no message ${name}`);
  return octets;
}
