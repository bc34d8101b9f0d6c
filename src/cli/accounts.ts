/** `glassmail accounts`: who may log in. */
import { openAccess } from './access.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { DATA_FLAG, readFlags } from './flags.ts';
import { PASSWORD_FLAG, askPassword, confirm } from './password.ts';

const FLAGS = { ...DATA_FLAG, ...PASSWORD_FLAG, yes: { type: 'boolean', short: 'y' } } as const;
const ACTIONS = ['list', 'add', 'passwd', 'delete'] as const;

export const accounts: CliCommand = {
  name: 'accounts',
  summary: 'list, add and delete accounts, and set passwords',
  help: `Usage: glassmail accounts list
       glassmail accounts add NAME
       glassmail accounts passwd NAME
       glassmail accounts delete NAME

Works beside a running server, or on its data folder while none runs. NAME is an address, such as
carol@red.test; a name alone means the default domain. add and passwd ask for the password; what is
typed is not shown.

  --password-stdin  take the password from the first line of standard input
  --yes, -y         delete without asking
  --data FOLDER     the data folder (GLASSMAIL_DATA; default ./data)

Examples:
  glassmail accounts add carol
  pass mail/carol | glassmail accounts passwd carol --password-stdin
  glassmail accounts delete carol@red.test --yes
`,
  async run(args, io) {
    const { values, positionals } = readFlags('accounts', args, FLAGS);
    const [word = 'list', name, ...more] = positionals;
    const action = ACTIONS.find((one) => one === word);
    if (action === undefined) {
      throw new UsageError(`accounts ${word}: it is one of ${ACTIONS.join(', ')} (glassmail accounts --help)`);
    }
    if (action === 'list') {
      if (name !== undefined) throw new UsageError('accounts list takes no name');
      return list(values.data, io);
    }
    if (name === undefined || more.length > 0) {
      throw new UsageError(`accounts ${action} takes one name: glassmail accounts ${action} carol@red.test`);
    }
    const fromStdin = values['password-stdin'] ?? false;
    switch (action) {
      case 'add':
        return add(name, fromStdin, values.data, io);
      case 'passwd':
        return passwd(name, fromStdin, values.data, io);
      case 'delete':
        return remove(name, values.yes ?? false, values.data, io);
    }
  },
};

async function list(data: string | undefined, io: Io): Promise<number> {
  await using access = await openAccess(data, io.environment);
  const found = await access.listAccounts();
  for (const { address } of found) io.stdout.write(`${address}\n`);
  if (found.length === 0) io.stderr.write(`There are no accounts in ${access.place}; glassmail accounts add NAME\n`);
  return 0;
}

async function add(name: string, fromStdin: boolean, data: string | undefined, io: Io): Promise<number> {
  await using access = await openAccess(data, io.environment);
  const password = await askPassword(io, `New password for ${name}`, { fromStdin, twice: true });
  const address = await access.addAccount(name, password);
  io.stdout.write(`${address} is there\n`);
  return 0;
}

async function passwd(name: string, fromStdin: boolean, data: string | undefined, io: Io): Promise<number> {
  await using access = await openAccess(data, io.environment);
  const password = await askPassword(io, `New password for ${name}`, { fromStdin, twice: true });
  await access.setPassword(name, password);
  io.stdout.write(`${name} has another password\n`);
  return 0;
}

async function remove(name: string, yes: boolean, data: string | undefined, io: Io): Promise<number> {
  await using access = await openAccess(data, io.environment);
  if (!yes && !(await confirm(io, `Delete ${name} with all its mail? Nothing brings it back.`))) {
    throw new UsageError('Nothing was deleted; --yes deletes without asking', 1);
  }
  await access.deleteAccount(name);
  io.stdout.write(`${name} is gone\n`);
  return 0;
}
