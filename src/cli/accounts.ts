/** `glassmail accounts`: who may log in. */
import type { Quota } from '../store/quota.ts';
import { openAccess } from './access.ts';
import { UsageError } from './command.ts';
import type { CliCommand, Io } from './command.ts';
import { DATA_FLAG, readFlags, readLimit, readOctets } from './flags.ts';
import { PASSWORD_FLAG, askPassword, confirm } from './password.ts';

const FLAGS = {
  ...DATA_FLAG,
  ...PASSWORD_FLAG,
  yes: { type: 'boolean', short: 'y' },
  storage: { type: 'string' },
  messages: { type: 'string' },
} as const;
const ACTIONS = ['list', 'add', 'passwd', 'quota', 'delete'] as const;

export const accounts: CliCommand = {
  name: 'accounts',
  summary: 'list, add and delete accounts, set passwords and quotas',
  help: `Usage: glassmail accounts list
       glassmail accounts add NAME
       glassmail accounts passwd NAME
       glassmail accounts quota NAME [--storage SIZE] [--messages N]
       glassmail accounts delete NAME

Works beside a running server, or on its data folder while none runs. NAME is an address, such as
carol@red.test; a name alone means the default domain. add and passwd ask for the password; what is
typed is not shown. quota shows what an account holds and may hold, and with a flag limits it; list
shows it of those that are limited.

  --password-stdin  take the password from the first line of standard input
  --storage SIZE    octets of all its messages: 500M, 1G; none: no limit; default: as the server's
                    --quota-storage says
  --messages N      how many messages; none; default: as --quota-messages says
  --yes, -y         delete without asking
  --data FOLDER     the data folder (GLASSMAIL_DATA; default ./data)

Examples:
  glassmail accounts add carol
  pass mail/carol | glassmail accounts passwd carol --password-stdin
  glassmail accounts quota carol --storage 1G --messages 10000
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
    const { storage, messages } = values;
    if (action !== 'quota' && (storage ?? messages) !== undefined) {
      throw new UsageError('--storage and --messages belong to: glassmail accounts quota NAME');
    }
    const fromStdin = values['password-stdin'] ?? false;
    switch (action) {
      case 'add':
        return add(name, fromStdin, values.data, io);
      case 'passwd':
        return passwd(name, fromStdin, values.data, io);
      case 'quota':
        return quota(name, storage, messages, values.data, io);
      case 'delete':
        return remove(name, values.yes ?? false, values.data, io);
    }
  },
};

async function list(data: string | undefined, io: Io): Promise<number> {
  await using access = await openAccess(data, io.environment);
  const found = await access.listAccounts();
  for (const { address, quota: its } of found) {
    const isLimited = its.octetLimit !== undefined || its.messageLimit !== undefined;
    io.stdout.write(isLimited ? `${address}  ${quotaText(its)}\n` : `${address}\n`);
  }
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

async function quota(
  name: string,
  storage: string | undefined,
  messages: string | undefined,
  data: string | undefined,
  io: Io,
): Promise<number> {
  const limits = {
    octets: storage === undefined ? undefined : readOctets('--storage', storage),
    messages: messages === undefined ? undefined : readLimit('--messages', messages),
  };
  await using access = await openAccess(data, io.environment);
  const account = await access.setQuota(name, limits);
  io.stdout.write(`${account.address}  ${quotaText(account.quota)}\n`);
  return 0;
}

/** `3 of 1000 messages, 12 KB of 1 GB` */
function quotaText({ messages, messageLimit, octets, octetLimit }: Quota): string {
  const most = (limit: string | undefined): string => (limit === undefined ? '' : ` of ${limit}`);
  const storage = octetLimit === undefined ? undefined : sizeText(octetLimit);
  return `${messages}${most(messageLimit?.toString())} messages, ${sizeText(octets)}${most(storage)}`;
}

function sizeText(octets: number): string {
  const units = ['KB', 'MB', 'GB'];
  let value = octets / 1024;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${Number.isInteger(value) ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[0]!}`;
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
