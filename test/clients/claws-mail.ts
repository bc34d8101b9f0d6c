/**
 * Claws Mail on a screen of its own, with a prepared profile. The running one is told what to do by starting another,
 * which hands its arguments over and ends; what has no argument is done by its keys.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestStack } from '../test-stack.ts';
import { openScreen, startProgram } from './desktop.ts';
import { address } from './mail.ts';
import { eventually, makeHome, within } from './program.ts';
import { lastLines, spokenLines } from './refusals.ts';

/** An account of Claws Mail's: where its mail comes from, and by which service it sends. */
export interface MailAccount {
  readonly account: string;
  readonly incoming: 'imap' | 'imaps' | 'pop3' | 'pop3s';
  readonly outgoing: 'submission' | 'submissions';
}

export interface ClawsMail extends AsyncDisposable {
  /** `--status-full`: how many messages it counts, by the folders' names, such as `#imap/alice/INBOX`. */
  status(): Promise<Map<string, number>>;
  /** `--receive-all`, until it has said QUIT to each POP3 server, which it asks last. */
  receiveAll(): Promise<void>;
  /** `--select`: shows a message, another one than is shown already. */
  select(folder: string, uid: number): Promise<void>;
  /** A key pressed in the window of this title (a regular expression), once that is there. */
  press(title: string, key: string): Promise<void>;
  /** `--compose-from-file`: opens a window, with a message that is written already. */
  compose(letter: string): Promise<void>;
  /** The messages that it keeps in a folder, by their numbers: paths are within its home. */
  kept(folder: string): Promise<Map<number, Buffer>>;
  /** As `eventually`, with a deadline of its own, and all that is known when it passes. */
  until(what: string, holds: () => Promise<boolean> | boolean): Promise<void>;
  /** `--exit`, until its end. */
  exit(): Promise<void>;
}

const isPop3 = ({ incoming }: MailAccount): boolean => incoming.startsWith('pop3');

/** How long a step may take; none takes a tenth of it on a machine at rest. */
const STEP_MS = 20_000;

/** Where it keeps the mail of its own, and the copies of what it read by IMAP. */
export const OWN_MAIL = 'Mail';
export const imapCache = (account: string, mailbox: string): string =>
  join('profile', 'imapcache', 'localhost', address(account), mailbox);

export async function startClawsMail(stack: TestStack, accounts: readonly MailAccount[]): Promise<ClawsMail> {
  await using opening = new AsyncDisposableStack();
  const home = opening.use(await makeHome());
  const screen = opening.use(await openScreen());
  const profile = join(home.path, 'profile');
  await writeProfile(stack, accounts, home.path, profile);

  const environment = {
    HOME: home.path,
    XDG_RUNTIME_DIR: home.path,
    DISPLAY: screen.display,
    SSL_CERT_FILE: stack.authorityFile!,
    // Nothing here speaks D-Bus, and none is to be started for it.
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    GSETTINGS_BACKEND: 'memory',
    NO_AT_BRIDGE: '1',
  };
  const start = (command: string, args: readonly string[]) => startProgram(command, args, environment);
  const program = opening.use(start('claws-mail', ['--alternate-config-dir', profile, '--debug']));

  const step = async <T>(what: string, promise: Promise<T>): Promise<T> => {
    try {
      return await within(STEP_MS, what, promise);
    } catch (error) {
      const told = `${program.said.slice(-2_000)}\n${lastLines(stack)}`;
      throw new Error(`Claws Mail, ${what}: ${String(error)}\n${told}`, { cause: error });
    }
  };
  const until: ClawsMail['until'] = (what, holds) => step(what, eventually(holds, what));
  /** @returns what it said */
  const finish = async (command: string, ...args: readonly string[]): Promise<string> => {
    await using started = start(command, args);
    await step(args.join(' '), started.ended);
    return started.said;
  };
  const tell = (...args: readonly string[]) => finish('claws-mail', '--alternate-config-dir', profile, ...args);
  // By then it listens to others of its kind; before, another one would have become the one that runs.
  await step('its start', program.says(/TIMING main startup/));

  const opened = opening.move();
  return {
    async status() {
      const lines = (await tell('--status-full')).matchAll(/^ *\d+ +\d+ +(\d+) (#.+)$/gm);
      return new Map([...lines].map(([, total, folder]) => [folder!, Number(total)]));
    },
    async receiveAll() {
      const before = quits(stack);
      await tell('--receive-all');
      const expected = before + accounts.filter(isPop3).length;
      await until('QUIT', () => quits(stack) === expected);
    },
    async select(folder, uid) {
      const before = program.said.length;
      await tell('--select', `${folder}/${uid}`);
      // Until it has shown the message, it passes over the keys that would do something with it.
      const shown = new RegExp(`^selecting message ${uid}\\n[^]*summary_display_msg_full`, 'm');
      await until(`message ${uid}`, () => shown.test(program.said.slice(before)));
    },
    async press(title, key) {
      let window = '';
      await until(`the window ${title}`, async () => {
        window = (await finish('xdotool', 'search', '--onlyvisible', '--name', title)).trim();
        return /^\d+$/.test(window);
      });
      await finish('xdotool', 'windowfocus', '--sync', window, 'key', key);
    },
    async compose(letter) {
      const file = join(home.path, 'letter');
      await writeFile(file, letter);
      await tell('--compose-from-file', file);
    },
    async kept(folder) {
      const path = join(home.path, folder);
      const names = (await readdir(path)).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
      return new Map(
        await Promise.all(names.map(async (name) => [Number(name), await readFile(join(path, name))] as const)),
      );
    },
    until,
    async exit() {
      await tell('--exit');
      await step('its end', program.ended);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** How many conversations of POP3 have come to their end. */
const quits = (stack: TestStack): number =>
  spokenLines(stack).filter(
    ({ protocol, lines }) => protocol === 'pop3' && lines.at(-2)?.text === 'QUIT' && lines.at(-1)!.by === 'server',
  ).length;

/** Of the profile: with an older one it would first bring every file up to date. */
const VERSION = 4;

async function writeProfile(
  stack: TestStack,
  accounts: readonly MailAccount[],
  home: string,
  profile: string,
): Promise<void> {
  // It makes the folders of IMAP accounts at its start, from what the server lists. Those who use POP3 have one each.
  const folders = [
    ...Object.entries({ inbox: 'inbox', sent: 'outbox', draft: 'draft', queue: 'queue', trash: 'trash' }),
    ...accounts.filter(isPop3).map(({ account }) => [account, 'normal'] as const),
  ];
  for (const [name] of folders) await mkdir(join(home, OWN_MAIL, name), { recursive: true });
  const items = folders.map(([name, type]) => `<folderitem type="${type}" name="${name}" path="${name}"/>`);
  const files = {
    // No windows that tell how far it is, and no dictionary, which may not be there.
    clawsrc: `[Common]\nconfig_version=${VERSION}\nreceive_dialog_mode=2\nsend_dialog_mode=1\nenable_aspell=0\n`,
    accountrc: accounts.map((account, index) => accountSection(stack, account, index + 1)).join('\n'),
    passwordstorerc: [
      `[config_version:${VERSION}]\n`,
      ...accounts.map((_, index) => `[account:${index + 1}]\nrecv glass\nsend glass\n`),
    ].join('\n'),
    'folderlist.xml': `<?xml version="1.0" encoding="UTF-8"?>
<folderlist config_version="${VERSION}">
<folder type="mh" name="${OWN_MAIL}" path="${OWN_MAIL}">
${items.join('\n')}
</folder>
</folderlist>
`,
  };
  await mkdir(profile);
  for (const [name, text] of Object.entries(files)) await writeFile(join(profile, name), text);
}

/** Its numbers for what an account speaks, and for how it comes to TLS. */
const PROTOCOL = { imap: 1, pop: 0 } as const;
const TLS = { tls: 1, starttls: 2 } as const;

function accountSection(stack: TestStack, { account, incoming, outgoing }: MailAccount, number: number): string {
  const protocol = incoming.startsWith('imap') ? 'imap' : 'pop';
  const section = {
    config_version: VERSION,
    account_name: account,
    is_default: number === 1 ? 1 : 0,
    name: account,
    address: address(account),
    protocol: PROTOCOL[protocol],
    receive_server: 'localhost',
    user_id: address(account),
    [`ssl_${protocol}`]: incoming.endsWith('s') ? TLS.tls : TLS.starttls,
    [`set_${protocol}port`]: 1,
    [`${protocol}_port`]: stack.port(incoming),
    imap_subsonly: 0,
    inbox: `#mh/${OWN_MAIL}/${account}`,
    remove_mail: 0,
    smtp_server: 'localhost',
    use_smtp_auth: 1,
    smtp_user_id: address(account),
    ssl_smtp: outgoing === 'submissions' ? TLS.tls : TLS.starttls,
    set_smtpport: 1,
    smtp_port: stack.port(outgoing),
    // Without asking, that is, if they are signed by whom it trusts.
    ssl_certs_auto_accept: 1,
  };
  const lines = Object.entries(section).map(([name, value]) => `${name}=${value}\n`);
  return `[Account: ${number}]\n${lines.join('')}`;
}
