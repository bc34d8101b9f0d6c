/** offlineimap3: two-way synchronisation of all mailboxes with a Maildir. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../test-stack.ts';
import {
  AWKWARD,
  addFlags,
  address,
  contents,
  createMailbox,
  deposit,
  letter,
  lf,
  mailboxes,
  modSeq,
  remove,
  subjectOf,
} from './mail.ts';
import { findInMaildir, makeMaildir, photograph, readMaildir } from './maildir.ts';
import { makeHome, run, succeed } from './program.ts';

let stack: TestStack;
beforeEach(async () => {
  stack = await startTestStack();
  for (const message of Object.values(AWKWARD)) await deposit(stack, 'alice', 'INBOX', message);
  await createMailbox(stack, 'alice', 'Archive/2026');
  await deposit(stack, 'alice', 'Archive/2026', letter('archived'), ['\\Seen', '\\Flagged']);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function makeOfflineimapHome(service: 'imap' | 'imaps', repository = '', password = 'glass') {
  const home = await makeHome();
  await mkdir(join(home.path, 'Mail'));
  await writeFile(
    join(home.path, '.offlineimaprc'),
    `[general]
accounts = glass
ui = basic
[Account glass]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = ~/Mail
sep = /
[Repository there]
type = IMAP
remotehost = localhost
remoteport = ${stack.port(service)}
remoteuser = ${address('alice')}
remotepass = ${password}
ssl = ${service === 'imaps' ? 'yes' : 'no'}
starttls = ${service === 'imaps' ? 'no' : 'yes'}
sslcacertfile = ${stack.authorityFile!}
${repository}
`,
  );
  await writeFile(join(home.path, 'openssl.cnf'), service === 'imap' ? TLS_1_2 : '');
  return Object.assign(home, {
    sync: () => sync(home.path),
    folder: (name: string) => join(home.path, 'Mail', name),
  });
}

/**
 * Its library, imaplib2, may hang at STARTTLS, with any server. After a handshake of TLS 1.3 one of its threads takes in
 * the session tickets (RFC 8446 §4.6.1) while another sends the first command over the same connection, and on a busy
 * machine that command often never leaves: so there it speaks TLS 1.2, which has no tickets after the handshake.
 */
const TLS_1_2 = `openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MaxProtocol = TLSv1.2
`;

/**
 * And its reading thread is told to stop after the next answer, that to STARTTLS. Held up just after the answer before, it
 * takes the word for that one, and nobody reads the next. A run that went so is run once more, and no other.
 */
async function sync(home: string): Promise<void> {
  const options = { home, environment: { OPENSSL_CONF: join(home, 'openssl.cnf') }, time: 20_000 };
  const outcome = await run('offlineimap', ['-o'], options);
  if (outcome.code === null && fellSilentAtStartTls()) await succeed('offlineimap', ['-o'], options);
  else expect(outcome).toMatchObject({ code: 0 });
}

/** Whether the last client was permitted to start TLS, and sent nothing more. */
function fellSilentAtStartTls(): boolean {
  const { events } = stack.recorder.list().at(-1)!.since(0);
  const permitted = events.findIndex((event) => event.type === 'tls' && event.tls.step === 'start');
  const heard = events.slice(permitted).some((event) => event.type === 'octets' && event.direction === 'in');
  return permitted !== -1 && !heard;
}

const text = (octets: Buffer): string => octets.toString('latin1');

test.each<['imap' | 'imaps', string]>([
  ['imap', ''],
  ['imaps', ''],
  ['imaps', 'auth_mechanisms = PLAIN'],
  ['imaps', 'maxconnections = 4'],
])('%s %s: synchronises both ways, and once', async (service, repository) => {
  await using home = await makeOfflineimapHome(service, repository);

  // The first run brings everything here.
  await home.sync();
  const inbox = await readMaildir(home.folder('INBOX'));
  expect(inbox.map(({ octets }) => text(octets)).sort()).toEqual(
    Object.values(AWKWARD)
      .map((message) => text(lf(message)))
      .sort(),
  );
  expect((await findInMaildir(home.folder('Archive/2026'), 'archived')).flags).toBe('FS');
  await expectNothingToDo(home);

  // Changes here.
  const dots = await findInMaildir(home.folder('INBOX'), 'dots');
  await rename(dots.file, dots.file.replace('/new/', '/cur/').replace(/:2,\w*$/, ':2,FS'));
  await rm((await findInMaildir(home.folder('INBOX'), 'no body')).file);
  await makeMaildir(home.folder('Made here'));
  await writeFile(join(home.folder('Made here'), 'new', '1.made.here'), lf(letter('written here')));
  await writeFile(join(home.folder('INBOX'), 'cur', '2.made.here:2,DS'), lf(letter('a draft')));
  // And at the same time there.
  await deposit(stack, 'alice', 'INBOX', letter('news'));
  const there = await contents(stack, 'alice', 'INBOX');
  await remove(stack, 'alice', 'INBOX', [there[1]!.uid]); // eight bits
  await addFlags(stack, 'alice', 'INBOX', [there[4]!.uid], ['\\Answered', '\\Seen']); // From lines
  await createMailbox(stack, 'alice', 'Made/there');
  await deposit(stack, 'alice', 'Made/there', letter('written there'));

  await home.sync();
  const after = await contents(stack, 'alice', 'INBOX');
  expect(Object.fromEntries(after.map((message) => [subjectOf(message), message.flags]))).toEqual({
    dots: ['\\Flagged', '\\Seen'],
    'a long line': [],
    'From lines': ['\\Answered', '\\Seen'],
    parts: [],
    news: [],
    'a draft': ['\\Draft', '\\Seen'],
  });
  expect(text((await contents(stack, 'alice', 'Made here'))[0]!.octets)).toBe(text(letter('written here')));
  expect(text(after.at(-1)!.octets)).toBe(text(letter('a draft')));
  const here = await readMaildir(home.folder('INBOX'));
  expect(Object.fromEntries(here.map((message) => [subjectOf(message), message.flags]))).toEqual({
    dots: 'FS',
    'a long line': '',
    'From lines': 'RS',
    parts: '',
    news: '',
    'a draft': 'DS',
  });
  await findInMaildir(home.folder('Made/there'), 'written there');
  await expectNothingToDo(home);
  const versions = stack.recorder.list().map(({ tls }) => tls?.version);
  expect(new Set(versions)).toEqual(new Set([service === 'imap' ? 'TLSv1.2' : 'TLSv1.3']));
});

/** A run that leaves both sides as they are. */
async function expectNothingToDo(home: Awaited<ReturnType<typeof makeOfflineimapHome>>): Promise<void> {
  const [here, there] = [await photograph(home.path), await modSeq(stack, 'alice')];
  await home.sync();
  expect(await photograph(home.path)).toEqual(here);
  expect(await modSeq(stack, 'alice')).toBe(there);
}

test('names in every script, with utf8foldernames', async () => {
  for (const name of ['Büro', '日本語/書類']) {
    await createMailbox(stack, 'alice', name);
    await deposit(stack, 'alice', name, letter(`in ${name.codePointAt(0)}`));
  }
  await using home = await makeOfflineimapHome('imaps');
  const file = join(home.path, '.offlineimaprc');
  const settings = await readFile(file, 'utf8');
  await writeFile(file, settings.replace('[Account glass]', '[Account glass]\nutf8foldernames = yes'));
  await home.sync();
  await findInMaildir(home.folder('日本語/書類'), `in ${'日'.codePointAt(0)}`);
  await makeMaildir(home.folder('Neu'));
  await makeMaildir(home.folder('Neu/Größe'));
  await home.sync();
  expect(await mailboxes(stack, 'alice')).toContain('Neu/Größe');
  await expectNothingToDo(home);
});

test('a wrong password', async () => {
  await using home = await makeOfflineimapHome('imaps', '', 'wrong');
  const { stderr, stdout } = await run('offlineimap', ['-o'], { home: home.path });
  expect(stderr + stdout).toContain('AUTHENTICATIONFAILED');
  expect(await readMaildir(home.path).catch(() => [])).toEqual([]);
});
