import { fc } from '../property.ts';
import { describe, expect, it } from 'vitest';
import {
  type AddressItem,
  formatAddress,
  mailboxesOf,
  normalizeDomain,
  parseAddressList,
  sameAddress,
  splitAddress,
} from '../../src/mail/address.ts';

/** `name|localPart|domain`, a route in front of it, groups as `group{…}`. */
function shown(item: AddressItem): string {
  if (item.type === 'group') return `${item.name}{${item.members.map(shown).join(' ')}}`;
  return `${item.route === undefined ? '' : `${item.route}:`}${item.name ?? '-'}|${item.localPart}|${item.domain}`;
}

describe('parseAddressList', () => {
  it.each([
    // RFC 5322 appendix A
    ['John Doe <jdoe@machine.example>', ['John Doe|jdoe|machine.example']],
    [
      'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
      ['Mary Smith|mary|x.test', '-|jdoe|example.org', 'Who?|one|y.test'],
    ],
    [
      '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
      ['-|boss|nil.test', 'Giant; "Big" Box|sysservices|example.net'],
    ],
    [
      'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
      ['A Group{Ed Jones|c|a.test -|joe|where.test John|jdoe|one.test}'],
    ],
    ['Undisclosed recipients:;', ['Undisclosed recipients{}']],
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete|pete|silly.test']],
    [
      "A Group(Some people)\t:Chris Jones <c@(Chris's host.)public.example>,\t joe@example.org,\tJohn <jdoe@one.test> (my dear friend); (the end of the group)",
      ['A Group{Chris Jones|c|public.example -|joe|example.org John|jdoe|one.test}'],
    ],
    ['Joe Q. Public <john.q.public@example.com>', ['Joe Q. Public|john.q.public|example.com']],
    [
      'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
      ['@node.test:Mary Smith|mary|example.net', '-|jdoe|test.example'],
    ],
    ['<@a.test,@b.test:c@d.test>', ['@a.test,@b.test:-|c|d.test']],
    // names
    ['user@domain (Real Name)', ['Real Name|user|domain']],
    ['<user@domain> (Real Name)', ['Real Name|user|domain']],
    ['user@domain ((nested) name)', ['(nested) name|user|domain']],
    ['a@b (one), c@d (two)', ['one|a|b', 'two|c|d']],
    ['"" <a@b>', ['-|a|b']],
    ['=?utf-8?Q?J=C3=BCrgen?= <j@x>', ['=?utf-8?Q?J=C3=BCrgen?=|j|x']],
    ['=?utf-8?Q?Doe,_John?= <j@x>', ['=?utf-8?Q?Doe,_John?=|j|x']],
    ['Jürgen Müller <jürgen@bücher.test>', ['Jürgen Müller|jürgen|bücher.test']],
    // local parts and domains
    ['"john doe"@x.test', ['-|john doe|x.test']],
    ['"a@b"@x.test', ['-|a@b|x.test']],
    ['"a\\"b"@x.test', ['-|a"b|x.test']],
    ['a . b @ c . d', ['-|a.b|c.d']],
    ['a@[127.0.0.1]', ['-|a|[127.0.0.1]']],
    ['a@[IPv6:::1]', ['-|a|[IPv6:::1]']],
    ['john..doe.@docomo.test', ['-|john..doe.|docomo.test']],
    // several groups
    ['group: g1@d1, g2@d2;, group2: g3@d3;', ['group{-|g1|d1 -|g2|d2}', 'group2{-|g3|d3}']],
    ['group:;, group2: (foo) ;', ['group{}', 'group2{}']],
    // broken
    ['', []],
    [' , ,', []],
    ['bob', ['-|bob|']],
    ['bob (Bob Builder)', ['Bob Builder|bob|']],
    ['<bob>', ['-|bob|']],
    ['<>', ['-||']],
    ['John Smith', ['John Smith||']],
    ['@domain', ['-||domain']],
    ['<@domain>', ['-||domain']],
    ['a@', ['-|a|']],
    ['a@b@c', ['-|a@b|c']],
    ['john@x.test <john@x.test>', ['john@x.test|john|x.test']],
    ['John Smith john@x.test', ['John Smith|john|x.test']],
    ['a@b c@d', ['-|a|b', '-|c|d']],
    ['"A" <a@b> "C" <c@d>', ['A|a|b', 'C|c|d']],
    ['A <a@b, C <c@d>', ['A|a|b', 'C|c|d']],
    ['A <<a@b>>, c@d', ['A|a|b', '-|c|d']],
    ['"unclosed <a@b>, c@d', ['"unclosed|a|b', '-|c|d']],
    ['(unclosed <a@b>, c@d', ['(unclosed|a|b', '-|c|d']],
    ['group: a@b', ['group{-|a|b}']],
    ['a@b; c@d', ['-|a|b', '-|c|d']],
    ["'Doe, John' <j@x>", ["-|'Doe|", "John'|j|x"]],
  ])('%s', (text, expected) => {
    expect(parseAddressList(text).map(shown)).toEqual(expected);
  });

  it('takes megabytes of anything in linear time', { timeout: 20_000 }, () => {
    for (const piece of ['(', '"', '<', ':', '@', 'a ', ',', '=?a?q?', '[', '\\', '"a" ', 'a@b,']) {
      expect(parseAddressList(piece.repeat(2_000_000 / piece.length)).length).toBeLessThanOrEqual(10_000);
    }
  });

  it('reads back what formatAddress writes', () => {
    const text = fc.string({
      minLength: 1,
      maxLength: 20,
      unit: fc.constantFrom(...Array.from('ab.@ "\\(),:;<>[]äあ=?')),
    });
    const name = text.map((value) => value.replace(/\s+/g, ' ').trim()).filter((value) => value !== '');
    const domain = fc.constantFrom('x.test', 'bücher.test', '[127.0.0.1]', 'a');
    fc.assert(
      fc.property(fc.option(name, { nil: undefined }), text, domain, (name, localPart, domain) => {
        const written = formatAddress({ name, localPart, domain });
        expect(parseAddressList(written)).toEqual([{ type: 'mailbox', name, localPart, domain }]);
      }),
    );
  });

  it('throws on nothing', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', '@', '<', '>', ',', ';', ':', '"', '(', ')', '\\', ' ', '.', '[', ']', '=?'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const mailbox of mailboxesOf(parseAddressList(pieces.join('')))) formatAddress(mailbox);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('splitAddress', () => {
  it.each([
    ['a@b.test', { localPart: 'a', domain: 'b.test' }],
    ['a@b@c', { localPart: 'a@b', domain: 'c' }],
    ['"a@b"@c', { localPart: 'a@b', domain: 'c' }],
    ['"john doe"@c', { localPart: 'john doe', domain: 'c' }],
    ['"a\\"@b"@c', { localPart: 'a"@b', domain: 'c' }],
    ['a', undefined],
    ['@b', undefined],
    ['a@', undefined],
    ['""@b', undefined],
    ['"a@b', undefined],
    ['', undefined],
  ])('%s', (address, expected) => {
    expect(splitAddress(address)).toEqual(expected);
  });
});

it.each([
  ['Example.TEST', 'example.test'],
  ['BÜCHER.test', 'xn--bcher-kva.test'],
  ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
  ['[127.0.0.1]', '[127.0.0.1]'],
  ['[IPv6:::1]', '[ipv6:::1]'],
  ['127.1', '127.1'],
  ['ä b', 'ä b'],
])('normalizeDomain %s', (domain, expected) => {
  expect(normalizeDomain(domain)).toBe(expected);
});

it.each([
  ['Alice@Glass.localhost', 'alice@glass.localhost', true],
  ['"alice"@glass.localhost', 'alice@glass.localhost', true],
  ['jürgen@BÜCHER.test', 'JÜRGEN@xn--bcher-kva.test', true],
  ['alice', 'ALICE', true],
  ['alice@a', 'alice@b', false],
  ['alice', 'alice@a', false],
])('sameAddress %s %s', (one, other, expected) => {
  expect(sameAddress(one, other)).toBe(expected);
});
