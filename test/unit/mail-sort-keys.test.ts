/** What orders messages, beside RFC 5051 (collation), RFC 5256 §2.2 and §3, RFC 5957 §3. */
import { describe, expect, test } from 'vitest';
import { casemapKey, inOctetOrder } from '../../src/mail/collation.ts';
import { parseHeader } from '../../src/mail/headers.ts';
import { messageIds, referencesOf } from '../../src/mail/message-ids.ts';
import { sentAt, sortKeys } from '../../src/mail/sort-keys.ts';

describe('i;unicode-casemap', () => {
  test.each([
    ['abc', 'ABC'],
    ['Ünder', 'U\u0308NDER'], // decomposed
    ['привет', 'ПРИВЕТ'],
    ['ﬀ ㎏', 'ff kg'], // without a title of their own, and decomposed after that
    ['ǆ ǅ Ǆ', 'Dž Dž Dž'.normalize('NFD')], // a digraph's title
    ['ᾳ ᾼ', '\u0391\u0345 \u0391\u0345'],
    ['ß', 'ß'], // the simple mapping alone
    ['ა', 'ა'], // Georgian letters are their own titles
    ['ﾊﾞ', 'ハ\u3099'],
  ])('%j becomes %j', (text, key) => {
    expect(casemapKey(text)).toBe(key);
  });

  test('keys are ordered as their UTF-8 octets are', () => {
    const texts = [
      '',
      'A',
      'Z',
      'a\u0301',
      'é',
      'я',
      '漢',
      '\ud7ff',
      '\ue000',
      '\ufb03',
      '\ufffd',
      '😀',
      '😀a',
      '𠀀',
      'A😀',
    ];
    const byOctets = texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(texts.toReversed().sort((a, b) => (inOctetOrder(a) < inOctetOrder(b) ? -1 : 1))).toEqual(byOctets);
    expect(byOctets).not.toEqual(texts.toSorted());
  });
});

describe('message ids', () => {
  test.each<[string, string[]]>([
    ['<a@b>', ['a@b']],
    [' <a@b> <c@d>', ['a@b', 'c@d']],
    ['<a@b><c@d>', ['a@b', 'c@d']],
    ['<"abc"@x.test>', ['abc@x.test']], // RFC 5256 §3: the same as without quotes
    ['<"a\\"b"@x>', ['a"b@x']],
    ['<a@[192.0.2.1]>', ['a@[192.0.2.1]']],
    ['<Ab@C>', ['Ab@C']], // case counts
    ['<abc@\r\n def>', ['abc@def']],
    ['text <a@b> more', ['a@b']],
    ['<a <b@c>', ['b@c']],
    ['a@b', []],
    ['<a>', []],
    ['<@b>', []],
    ['<a@>', []],
    ['<a@b@c>', []],
    ['<a@b', []],
    ['', []],
  ])('%j', (text, ids) => {
    expect(messageIds(text)).toEqual(ids);
  });

  test('of very many the first and the nearest', () => {
    const ids = messageIds(Array.from({ length: 5000 }, (_, i) => `<${i}@x>`).join(' '));
    expect(ids).toHaveLength(100);
    expect([ids[0], ids.at(1), ids.at(-1)]).toEqual(['0@x', '4901@x', '4999@x']);
  });

  test.each<[string | undefined, string | undefined, string[]]>([
    ['<a@x> <b@x>', '<c@x>', ['a@x', 'b@x']],
    ['nothing', '<c@x> <d@x>', ['c@x']],
    [undefined, '"A. User" <a.user@x> of <c@x>', ['a.user@x']], // no telling the one from the other
    [undefined, undefined, []],
  ])('references %j, in reply to %j', (references, inReplyTo, expected) => {
    expect(referencesOf(references, inReplyTo)).toEqual(expected);
  });
});

describe('the sent date', () => {
  test.each<[string, string | undefined]>([
    ['Sun, 31 Dec 2000 16:01:33 -0800', '2001-01-01T00:01:33Z'],
    ['31 Dec 2000 16:01:33 XYZ', '2000-12-31T16:01:33Z'], // an invalid zone is UTC
    ['31 Dec 2000 25:99:00 -0800', '2000-12-31T00:00:00Z'], // an invalid time is midnight
    ['31 Dec 2000', '2000-12-31T00:00:00Z'],
    ['31 Foo 2000 10:00:00 +0000', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(sentAt(text)).toBe(expected === undefined ? undefined : Date.parse(expected));
  });
});

describe('keys of a message', () => {
  const keys = (...fields: string[]) => {
    const octets = Buffer.from(`${fields.join('\r\n')}\r\n\r\n`);
    return sortKeys(octets, parseHeader(octets));
  };

  test('of one with everything', () => {
    const found = keys(
      'From: =?utf-8?Q?J=C3=B6rg?= <joerg@one.test>, second@x.test',
      'To: bob@two.test',
      'Cc: Carol <carol@three.test>',
      'Subject: Re: [list] =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      'Date: Sun, 31 Dec 2000 16:01:33 -0800',
      'Message-ID: <m@x.test>',
      'In-Reply-To: <b@x.test>',
      'References: <a@x.test>',
      ' <b@x.test>',
    );
    expect(found).toEqual({
      sentAt: Date.parse('2001-01-01T00:01:33Z'),
      subject: casemapKey('Grüße'),
      isReply: true,
      from: 'JOERG',
      to: 'BOB',
      cc: 'CAROL',
      displayFrom: casemapKey('Jörg'),
      displayTo: 'BOB@TWO.TEST',
      messageId: 'm@x.test',
      references: ['a@x.test', 'b@x.test'],
    });
  });

  test('of one with nothing', () => {
    const empty = { subject: '', from: '', to: '', cc: '', displayFrom: '', displayTo: '' };
    expect(keys('X: y')).toEqual({ ...empty, sentAt: undefined, isReply: false, messageId: undefined, references: [] });
  });

  test.each([
    ['From: "" <a@b.test>', 'A', 'A@B.TEST'],
    ['From: (nobody) a', 'A', 'NOBODY'],
    ['From: a', 'A', 'A'],
    ['From: friends: a@b.test, c@d.test;', 'FRIENDS', 'FRIENDS'], // as ENVELOPE has groups
    ['From: "A B" <"x y"@b.test>', 'X Y', 'A B'],
  ])('%s', (field, from, displayFrom) => {
    expect(keys(field)).toMatchObject({ from, displayFrom });
  });

  test('what is longer than anybody reads is cut', () => {
    expect(keys(`Subject: ${'x'.repeat(100_000)}`).subject.length).toBeLessThanOrEqual(2000);
  });
});
