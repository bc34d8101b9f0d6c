/** ID: RFC 2971. Who is at the other end; for people who read logs and conversations, never to decide anything (§1). */
import { command, EVERYWHERE } from '../command.ts';
import { ok } from '../grammar/responses.ts';

export const id = command({
  states: EVERYWHERE,
  mayExpunge: true,
  parse: (input) => ({ parameters: input.sp().idParameters() }),
  async *run({ parameters: told }, { session }) {
    if (session.faults) session.faults.client = told?.get('name') ?? undefined;
    const parameters = new Map([
      ['name', 'glassmail'],
      ['version', session.options.version],
    ]);
    yield { type: 'id', parameters };
    return ok('ID completed');
  },
});
