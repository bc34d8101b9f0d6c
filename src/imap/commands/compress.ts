/**
 * COMPRESS: RFC 4978. DEFLATE both ways from the first octet after the OK; the layer itself is `wire/deflate-layer.ts`.
 * It is offered after login: nothing before it is worth compressing, and passwords are not compressed beside other text.
 */
import { command, LOGGED_IN } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { bad, ok } from '../grammar/responses.ts';

export const compress = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse(input) {
    const algorithm = input.sp().atom('DEFLATE').toUpperCase();
    if (algorithm !== 'DEFLATE') throw new BadSyntax('COMPRESS knows DEFLATE, and no other algorithm');
  },

  async *run(_, { session }) {
    if (session.connection.compressed) return bad('DEFLATE is active already', 'COMPRESSIONACTIVE');
    session.afterwards('compress');
    return ok('DEFLATE active');
  },
});
