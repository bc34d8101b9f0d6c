/** Mail in files: mbox, Maildir and .eml as programs write them, and mbox as we write it. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fc } from '../property.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { readFiles, type SourceMessage } from '../../src/cli/import-files.ts';
import { targetOf } from '../../src/cli/import.ts';
import { imapSource, levelsOf } from '../../src/cli/import-imap.ts';
import { decodeModifiedUtf7 } from '../../src/cli/maildir.ts';
import { looksLikeMbox, readMbox, writeMboxMessage, type MboxMessage } from '../../src/cli/mbox.ts';

async function* inPieces(octets: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

async function read(text: string | Buffer, size = 7): Promise<MboxMessage[]> {
  const messages: MboxMessage[] = [];
  for await (const message of readMbox(inPieces(Buffer.from(text), size), 'a.mbox')) messages.push(message);
  return messages;
}

const texts = (messages: readonly { octets: Uint8Array }[]): string[] =>
  messages.map(({ octets }) => Buffer.from(octets).toString('latin1'));

describe('an mbox file', () => {
  it('is divided at its From_ lines, and nowhere else', async () => {
    const file = [
      'From a@x.test Thu Jan  1 00:00:07 1970',
      'Subject: 1',
      '',
      'From the beginning of a sentence, no line of the file.',
      '>From quoted',
      '>>From quoted twice',
      '',
      'From - Wed Feb 28 12:00:00 2001',
      'Subject: 2',
      '',
      'text',
      '',
      '',
      'From b@x.test Sat Jul  4 10:11:12 +0200 2026',
      'Subject: 3',
      '',
    ].join('\n');
    for (const size of [1, 5, 1000]) {
      const messages = await read(file, size);
      expect(texts(messages)).toEqual([
        'Subject: 1\r\n\r\nFrom the beginning of a sentence, no line of the file.\r\nFrom quoted\r\n>From quoted twice\r\n',
        'Subject: 2\r\n\r\ntext\r\n\r\n',
        'Subject: 3\r\n',
      ]);
      expect(messages.map(({ date }) => date?.toISOString())).toEqual([
        '1970-01-01T00:00:07.000Z',
        '2001-02-28T12:00:00.000Z',
        '2026-07-04T08:11:12.000Z',
      ]);
    }
  });

  it('carries flags as mutt, Dovecot and Thunderbird write them', async () => {
    const one = (fields: string): Promise<MboxMessage[]> => read(`From - Thu Jan  1 00:00:00 1970\n${fields}\nbody\n`);
    const [mutt] = await one('Subject: 1\nStatus: RO\nX-Status: AF\nX-Keywords: $Label1 two\n');
    expect(mutt).toMatchObject({ flags: ['\\Seen', '\\Answered', '\\Flagged', '$Label1', 'two'] });
    expect(texts([mutt!])).toEqual(['Subject: 1\r\n\r\nbody\r\n']);
    const [thunderbird] = await one('X-Mozilla-Status: 1007\nSubject: 1\n');
    expect(thunderbird!.flags).toEqual(['\\Seen', '\\Answered', '\\Flagged', '$Forwarded']);
    expect(await one('X-Mozilla-Status: 0009\nSubject: deleted there\n')).toEqual([]);
    const [none] = await one('Subject: 1\n\nStatus: RO\n');
    expect(none).toMatchObject({ flags: [] });
    expect(texts([none!])[0]).toContain('Status: RO');
  });

  it('that is none is refused', async () => {
    await expect(read('Subject: 1\n\nFrom x\n')).rejects.toThrow(UsageError);
    await expect(read('Fro')).rejects.toThrow(UsageError);
    expect(await read('')).toEqual([]);
    expect(looksLikeMbox(Buffer.from('From here to there\n'))).toBe(false);
    expect(looksLikeMbox(Buffer.from('From \r\nSubject: 1'))).toBe(true);
    expect(looksLikeMbox(Buffer.from('From a b@x Thu Jan  1 00:00:00 1970\n'))).toBe(false);
  });

  it('gives back what was written into it', async () => {
    const line = fc.constantFrom('', 'From ', 'From x', '>From x', '>>From ', '.', 'text', ' From', '\xff\xfe', '-- ');
    const message = fc.array(line).map((lines) => `Subject: x\r\n\r\n${lines.map((one) => `${one}\r\n`).join('')}`);
    const flags = fc.uniqueArray(
      fc.constantFrom('\\Seen', '\\Answered', '\\Flagged', '\\Draft', '\\Deleted', '$Label1'),
    );
    const date = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ message, flags, date })),
        fc.integer({ min: 1, max: 99 }),
        async (all, size) => {
          const file = Buffer.concat(
            all.map((one) => writeMboxMessage(Buffer.from(one.message, 'latin1'), { sender: 'a@x.test', ...one })),
          );
          const found = await read(file, size);
          expect(texts(found)).toEqual(all.map((one) => one.message));
          expect(found.map(({ date }) => date)).toEqual(all.map((one) => one.date));
          expect(found.map((one) => new Set(one.flags))).toEqual(all.map((one) => new Set(one.flags)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is written in the form that others read', () => {
    const octets = Buffer.from('Subject: x\r\nStatus: O\r\n\r\nFrom a\r\n');
    const options = { sender: '', date: new Date(0), flags: ['\\Seen', '\\Flagged'] };
    expect(writeMboxMessage(octets, options).toString()).toBe(
      'From MAILER-DAEMON Thu Jan  1 00:00:00 1970\nSubject: x\nStatus: RO\nX-Status: F\n\n>From a\n\n',
    );
  });
});

describe('files and folders', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glassmail-files-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }

  async function all(path = folder): Promise<SourceMessage[]> {
    const messages: SourceMessage[] = [];
    for await (const message of readFiles(path)) messages.push(message);
    return messages;
  }

  it('of a Maildir come with folders, flags and dates', async () => {
    await put('new/100.a.host', 'Subject: new\n\nx\n');
    await put('cur/99.b.host:2,RSab', 'Subject: old\r\n\r\nx\r\n');
    await put('cur/.hidden', 'no message');
    await put('tmp/98.c', 'no message yet');
    await put('dovecot-keywords', '0 $Label1\n1 work\n');
    await put('.Sent.2020/cur/1.x:2,FPDT', 'Subject: sent\n\nx\n');
    await put('.Entw&APw-rfe/cur/1.x', 'Subject: draft\n\nx\n');
    await put('Nested/Deeper/cur/1.x', 'Subject: nested\n\nx\n');
    await utimes(join(folder, 'cur/99.b.host:2,RSab'), 981_173_106, 981_173_106);
    const messages = await all();
    expect(
      messages.map(({ levels, flags, octets }) => [levels.join('/'), flags, String(octets).split('\r\n')[0]]),
    ).toEqual([
      ['', ['\\Answered', '\\Seen', '$Label1', 'work'], 'Subject: old'],
      ['', [], 'Subject: new'],
      ['Entwürfe', [], 'Subject: draft'],
      ['Sent/2020', ['\\Flagged', '$Forwarded', '\\Draft', '\\Deleted'], 'Subject: sent'],
      ['Nested/Deeper', [], 'Subject: nested'],
    ]);
    expect(messages[0]!.date).toEqual(new Date('2001-02-03T04:05:06Z'));
    expect(String(messages[1]!.octets)).toBe('Subject: new\r\n\r\nx\r\n');
  });

  it('of mail programs’ folders become mailboxes', async () => {
    const mbox = (subject: string): string => `From - Thu Jan  1 00:00:00 1970\nSubject: ${subject}\n\nx\n`;
    await put('Inbox', mbox('1'));
    await put('Inbox.msf', '// <!-- an index -->');
    await put('Inbox.sbd/Projects', mbox('2'));
    await put('Sent.mbox', mbox('3'));
    await put('Apple.mbox/mbox', mbox('4'));
    await put('Apple.mbox/table_of_contents', 'x');
    await put('letters/1.eml', 'From: a\nSubject: 5\n\nx\n');
    await put('2.eml', 'From: a\nSubject: 6\n\nx\n');
    const found = (await all()).map(({ levels, octets }) => [
      levels.join('/'),
      /Subject: (\d)/.exec(String(octets))?.[1],
    ]);
    expect(found.sort()).toEqual([
      ['', '6'],
      ['Apple', '4'],
      ['Inbox', '1'],
      ['Inbox/Projects', '2'],
      ['Sent', '3'],
      ['letters', '5'],
    ]);
  });

  it('that are no mail are refused by name', async () => {
    await put('notes.txt', 'root:x:0:0\n');
    await expect(all(join(folder, 'notes.txt'))).rejects.toThrow(/notes\.txt is neither a message nor an mbox file/);
    await expect(all(join(folder, 'missing'))).rejects.toThrow(/There is no file or folder/);
    expect(await all()).toEqual([]);
  });
});

describe('names', () => {
  it.each([
    [[], undefined, 'INBOX'],
    [[], 'Old', 'Old'],
    [['Sent', '2020'], undefined, 'Sent/2020'],
    [['Sent', '2020'], 'Old', 'Old/Sent/2020'],
    [['Inbox', 'Projects'], undefined, 'INBOX/Projects'],
    [['a/b', ' ', 'c'], undefined, 'a_b/c'],
  ])('of the mailbox for %j below %j', (levels, mailbox, target) => {
    expect(targetOf(levels, mailbox)).toBe(target);
  });

  it.each([
    ['INBOX.Sent.2020', '.', 'INBOX.', ['Sent', '2020']],
    ['Sent/2020', '/', '', ['Sent', '2020']],
    ['inbox', '.', 'INBOX.', ['INBOX']],
    ['flat.name', '', '', ['flat.name']],
  ])('of IMAP: %s', (path, delimiter, prefix, levels) => {
    expect(levelsOf(path, delimiter, prefix)).toEqual(levels);
  });

  it.each([
    ['Entw&APw-rfe', 'Entwürfe'],
    ['a &- b', 'a & b'],
    ['&ZeVnLIqe-', '日本語'],
    ['plain', 'plain'],
  ])('in modified UTF-7: %s', (name, text) => {
    expect(decodeModifiedUtf7(name)).toBe(text);
  });

  it('of IMAP accounts', () => {
    expect(imapSource('imaps://a%40x.test@mail.x.test', { insecure: false })).toMatchObject({
      host: 'mail.x.test',
      port: 993,
      tls: 'tls',
      user: 'a@x.test',
    });
    expect(imapSource('imap://a@[::1]:1143', { insecure: false })).toMatchObject({
      host: '::1',
      port: 1143,
      tls: 'starttls',
    });
    expect(imapSource('imap://a@h', { insecure: true })).toMatchObject({ port: 143, tls: 'none' });
    for (const wrong of ['imaps://mail.x.test', 'imaps:', 'imaps://a:secret@h']) {
      expect(() => imapSource(wrong, { insecure: false })).toThrow(UsageError);
    }
  });
});
