/** CANCELUPDATE: RFC 5267 §4.3.5. Results that were kept up are forgotten: all that are named, or with an error none. */
import { command } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { ok } from '../grammar/responses.ts';

export const cancelUpdate = command({
  states: ['selected'],
  mayExpunge: true,
  parse(input) {
    const tags = [input.sp().string('a tag in quotation marks')];
    while (!input.atEnd()) tags.push(input.sp().string('a tag in quotation marks'));
    return { tags };
  },
  async *run({ tags }, { state: { view } }) {
    const unknown = tags.find((tag) => !view.contexts.has(tag));
    if (unknown !== undefined) throw new BadSyntax(`No result is kept up under the tag ${unknown.slice(0, 40)}`);
    for (const tag of tags) view.contexts.cancel(tag);
    return ok('No further updates');
  },
});
