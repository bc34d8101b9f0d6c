/** ID: RFC 2971. Who is at the other end; for people who read logs and conversations, never to decide anything (§1). */
import { command, EVERYWHERE } from '../command.ts';
import { ok } from '../grammar/responses.ts';

/** Characters of a name that are kept for those who watch. */
const MOST_TOLD = 100;

export const id = command({
  states: EVERYWHERE,
  mayExpunge: true,
  parse: (input) => ({ parameters: input.sp().idParameters() }),
  async *run({ parameters: told }, { session }) {
    const program = told?.get('name') ?? undefined;
    if (program !== undefined) {
      const name = program.slice(0, MOST_TOLD);
      session.connection.annotate({ type: 'client', name, version: (told?.get('version') ?? '').slice(0, MOST_TOLD) });
    }
    if (session.faults) session.faults.client = program;
    const parameters = new Map([
      ['name', 'glassmail'],
      ['version', session.options.version],
    ]);
    yield { type: 'id', parameters };
    return ok('ID completed');
  },
});
