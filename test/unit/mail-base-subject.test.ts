/** The base subject, beside RFC 5256 §2.1 and the ABNF of its §5. */
import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import { baseSubject } from '../../src/mail/base-subject.ts';

describe('what is left of a subject', () => {
  test.each<[subject: string, base: string, isReply: boolean]>([
    ['', '', false],
    ['hello', 'hello', false],
    ['  hello\t  world  ', 'hello world', false], // (1)
    ['hello (fwd)', 'hello', true], // (2)
    ['hello (FWD) (fwd) ', 'hello', true],
    ['hello(fwd)', 'hello', true],
    ['(fwd)', '', true],
    ['hello (fwd) more', 'hello (fwd) more', false],
    ['Re: hello', 'hello', true], // (3)
    ['RE:hello', 'hello', true],
    ['re : hello', 'hello', true],
    ['Fw: hello', 'hello', true],
    ['Fwd: hello', 'hello', true],
    ['re[2]: hello', 'hello', true],
    ['Re [list] : hello', 'hello', true],
    ['Re: Fwd: RE: hello', 'hello', true],
    ['AW: hello', 'AW: hello', false], // only these tokens
    ['reply: hello', 'reply: hello', false],
    ['Re hello', 'Re hello', false],
    ['Re', 'Re', false],
    ['Re:', '', true],
    ['[list] Re: hello', 'hello', true],
    ['[a] [b] Re: hello', 'hello', true],
    ['Re: [list] hello', 'hello', true], // (4)
    ['[list] hello', 'hello', false],
    ['[a][b] [c] hello', 'hello', false],
    ['[list]', '[list]', false], // what would be empty stays
    ['[a] [b]', '[b]', false],
    ['Re: [list]', '[list]', true],
    ['[list] (fwd)', '[list]', true],
    ['[a [b] hello', '[a [b] hello', false], // no blob: a bracket within
    ['[unclosed hello', '[unclosed hello', false],
    ['hello [list]', 'hello [list]', false],
    ['[a] Re: [b] Fwd: [c] hello (fwd)', 'hello', true], // (5)
    ['[Fwd: hello]', 'hello', true], // (6)
    ['[FWD: [fwd: hello]]', 'hello', true],
    ['[fwd: Re: hello (fwd) ]', 'hello', true],
    ['Re: [fwd: [list] hello]', 'hello', true],
    ['[fwd:]', '', true],
    ['[fwd: hello', '[fwd: hello', false],
    ['[fwd: hello] x', 'x', false], // a blob like any other
    ['[fwd: a] [fwd: b]', 'b', true], // the first is a blob, since something is left
    ['Grüße', 'Grüße', false],
    ['Re: [списки] Привет', 'Привет', true],
  ])('%j', (subject, base, isReply) => {
    expect(baseSubject(subject)).toEqual({ text: base, isReply });
  });

  test('one pass, whatever is piled up before and behind', () => {
    const start = performance.now();
    for (const pile of ['re:', '[x]', '[x] re: ', '[fwd:', ' ', 're [x]', '[', '[x] ['])
      expect(
        baseSubject(`${pile.repeat(100_000)}end${' (fwd)'.repeat(100_000)}${']'.repeat(100_000)}`).text,
      ).toBeTypeOf('string');
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('what is left has nothing more to be removed', () => {
    const piece = fc.constantFrom('re:', 'Fwd :', '[a]', '[', ']', ' ', '(fwd)', '[fwd:', 'x', 'fw', 'é', ':');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { text } = baseSubject(pieces.join(''));
        expect(baseSubject(text)).toEqual({ text, isReply: false });
      }),
    );
  });
});
