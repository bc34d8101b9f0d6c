/**
 * LANG: RFC 6856 §3.
 * The texts are English, and that is all that can be chosen: `i-default` is what everybody is to understand
 * (RFC 2277 §4.5), and is the same here. Once a language was chosen, texts may be in UTF-8.
 */
import { command } from '../command.ts';
import type { Dialect } from '../command.ts';
import { quote } from '../grammar/parser.ts';
import { err, ok } from '../grammar/responses.ts';

type Language = NonNullable<Dialect['language']>;

const LANGUAGES: readonly (readonly [tag: Language, description: string])[] = [
  ['en', 'English'],
  ['i-default', 'English, for everybody'],
];

export const lang = command({
  states: ['authorization', 'transaction'],
  parse: (input) => ({ range: input.optionalSp() ? input.word() : undefined }),
  run({ range }, { speak }) {
    if (range === undefined) {
      return ok('Languages follow', { lines: LANGUAGES.map(([tag, description]) => `${tag} ${description}`) });
    }
    const language = lookUp(range);
    // §3.2: the language stays what it was.
    if (language === undefined) return err(`There is no language ${quote(range)}; there are en and i-default`);
    speak({ language });
    return ok(`${language} Texts are in English`);
  },
});

/** RFC 4647 §3.4: the range is shortened from its end until it is a tag. `*` is what the server prefers (§3.2). */
function lookUp(range: string): Language | undefined {
  if (range === '*') return 'en';
  for (let tag = range.toLowerCase(); tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    const found = LANGUAGES.find(([known]) => known === tag);
    if (found !== undefined) return found[0];
  }
  return undefined;
}
