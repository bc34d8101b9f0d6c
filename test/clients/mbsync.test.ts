/** mbsync (isync): two-way synchronisation of all mailboxes with a Maildir. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
  await createMailbox(stack, 'alice', 'Büro');
  await deposit(stack, 'alice', 'Archive/2026', letter('archived'), ['\\Seen', '\\Flagged']);
  await deposit(stack, 'alice', 'Büro', letter('in the office'), ['\\Answered']);
});
afterEach(async () => {
  expect(stack.logged).toEqual([]);
  await stack[Symbol.asyncDispose]();
});

async function makeMbsyncHome(service: 'imap' | 'imaps', account = '', password = 'glass') {
  const home = await makeHome();
  await mkdir(join(home.path, 'Mail'));
  await mkdir(join(home.path, '.mbsync'));
  await writeFile(
    join(home.path, '.mbsyncrc'),
    `IMAPAccount glass
Host localhost
Port ${stack.port(service)}
User ${address('alice')}
Pass ${password}
SSLType ${service === 'imap' ? 'STARTTLS' : 'IMAPS'}
CertificateFile ${stack.authorityFile!}
${account}

IMAPStore far
Account glass

MaildirStore near
Path ~/Mail/
Inbox ~/Mail/INBOX
SubFolders Verbatim

Channel mail
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
CopyArrivalDate yes
SyncState ~/.mbsync/
`,
  );
  return Object.assign(home, {
    sync: () => succeed('mbsync', ['--all', '--verbose'], { home: home.path }),
    folder: (name: string) => join(home.path, 'Mail', name),
  });
}

describe.each<['imap' | 'imaps', string]>([
  ['imap', ''],
  ['imaps', ''],
  ['imaps', 'AuthMechs LOGIN'],
  ['imaps', 'PipelineDepth 1'],
  ['imaps', 'DisableExtension LITERAL+ UIDPLUS'],
])('%s %s', (service, account) => {
  test('synchronises both ways, and once', async () => {
    await using home = await makeMbsyncHome(service, account);

    // The first run brings everything here.
    await home.sync();
    const inbox = await readMaildir(home.folder('INBOX'));
    expect(inbox.map(({ octets }) => withoutMark(octets)).sort()).toEqual(
      Object.values(AWKWARD)
        .map((message) => lf(message).toString('latin1'))
        .sort(),
    );
    expect((await findInMaildir(home.folder('Archive/2026'), 'archived')).flags).toBe('FS');
    expect((await findInMaildir(home.folder('B&APw-ro'), 'in the office')).flags).toBe('R');
    await expectNothingToDo(home);

    // Changes here.
    const dots = await findInMaildir(home.folder('INBOX'), 'dots');
    await rename(
      dots.file,
      dots.file
        .replace('/new/', '/cur/')
        .replace(/(:2,)?\w*$/, (flags) => `${flags.includes(':2,') ? flags : `${flags}:2,`}FS`),
    );
    await rm((await findInMaildir(home.folder('INBOX'), 'no body')).file);
    await makeMaildir(home.folder('Made here'));
    await writeFile(join(home.folder('Made here'), 'new', '1.made.here'), lf(letter('written here')));
    await writeFile(join(home.folder('INBOX'), 'cur', '2.made.here:2,DS'), lf(letter('a draft')));
    // And at the same time there.
    await deposit(stack, 'alice', 'INBOX', letter('news'));
    const there = await contents(stack, 'alice', 'INBOX');
    await remove(stack, 'alice', 'INBOX', [there[1]!.uid]); // eight bits
    await addFlags(stack, 'alice', 'INBOX', [there[4]!.uid], ['\\Answered', '\\Seen', 'Work']); // From lines
    await createMailbox(stack, 'alice', 'Made/there');
    await deposit(stack, 'alice', 'Made/there', letter('written there'));

    await home.sync();
    const after = await contents(stack, 'alice', 'INBOX');
    expect(Object.fromEntries(after.map((message) => [subjectOf(message), message.flags]))).toEqual({
      dots: ['\\Flagged', '\\Seen'],
      'a long line': [],
      'From lines': ['Work', '\\Answered', '\\Seen'],
      parts: [],
      news: [],
      'a draft': ['\\Draft', '\\Seen'],
    });
    expect(withoutMark((await contents(stack, 'alice', 'Made here'))[0]!.octets)).toBe(
      letter('written here').toString(),
    );
    expect(withoutMark(after.at(-1)!.octets)).toBe(letter('a draft').toString());
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
  });
});

/** A run that leaves both sides as they are. */
async function expectNothingToDo(home: Awaited<ReturnType<typeof makeMbsyncHome>>): Promise<void> {
  const [here, there] = [await photograph(home.path), await modSeq(stack, 'alice')];
  await home.sync();
  expect(await photograph(home.path)).toEqual(here);
  expect(await modSeq(stack, 'alice')).toBe(there);
}

/** mbsync adds a field to what it uploads where it cannot learn the UID otherwise. */
const withoutMark = (octets: Buffer): string => octets.toString('latin1').replace(/^X-TUID: .*\r?\n/m, '');

test('a mailbox that is removed here is removed there', async () => {
  await using home = await makeMbsyncHome('imaps');
  await home.sync();
  await remove(
    stack,
    'alice',
    'Büro',
    (await contents(stack, 'alice', 'Büro')).map(({ uid }) => uid),
  );
  await home.sync();
  await rm(home.folder('B&APw-ro'), { recursive: true });
  const { code } = await run('mbsync', ['--all'], { home: home.path });
  expect(code).toBe(0);
  expect(await mailboxes(stack, 'alice')).not.toContain('Büro');
});

test('a mailbox of somebody else', async () => {
  await createMailbox(stack, 'alice', 'Team/2026');
  await deposit(stack, 'alice', 'Team/2026', letter('for all of us'), ['\\Seen']);
  for (const name of ['Team', 'Team/2026']) {
    const url = `imap://localhost:${stack.port('imap')}/`;
    await succeed('curl', ['-s', '--user', `${address('alice')}:glass`, url, '-X', `SETACL ${name} bob lrswite`]);
  }
  await using home = await makeMbsyncHome('imaps');
  const file = join(home.path, '.mbsyncrc');
  const settings = (await readFile(file, 'utf8'))
    .replace(`User ${address('alice')}`, `User ${address('bob')}`)
    .replace('Account glass\n\nMaildirStore', `Account glass\nPath "Other Users/${address('alice')}/"\n\nMaildirStore`);
  await writeFile(file, settings.replace('Patterns *', 'Patterns * !INBOX'));

  await home.sync();
  const folder = home.folder('Team/2026');
  const letterHere = await findInMaildir(folder, 'for all of us');
  expect(letterHere.flags).toBe('S');
  await rename(letterHere.file, `${letterHere.file}F`);
  await writeFile(join(folder, 'cur', '1.here:2,'), lf(letter('from bob')));
  await home.sync();
  const there = await contents(stack, 'alice', 'Team/2026');
  expect(there.map((message) => [subjectOf(message), message.flags])).toEqual([
    ['for all of us', ['\\Flagged', '\\Seen']],
    ['from bob', []],
  ]);
  await remove(stack, 'alice', 'Team/2026', [1]);
  await home.sync();
  expect((await readMaildir(folder)).length).toBe(1);
});

test('three thousand messages', async () => {
  await using home = await makeMbsyncHome('imaps');
  await makeMaildir(home.folder('INBOX'));
  for (let number = 0; number < 3000; number++)
    await writeFile(join(home.folder('INBOX'), 'cur', `${number}.here:2,S`), lf(letter(`number ${number}`)));
  await home.sync();
  const uploaded = await contents(stack, 'alice', 'INBOX');
  expect(uploaded.length).toBe(3006);
  expect(new Set(uploaded.map(subjectOf)).size).toBe(3006);
  await expectNothingToDo(home);
});

test.each(['AuthMechs *', 'AuthMechs PLAIN', 'AuthMechs LOGIN'])(
  'a wrong password, and what the server says about it: %s',
  async (mechanism) => {
    await using home = await makeMbsyncHome('imaps', mechanism, 'wrong');
    const { code, stderr } = await run('mbsync', ['--all'], { home: home.path });
    expect(code).toBe(1);
    expect(stderr).toContain('AUTHENTICATIONFAILED');
  },
);
