/** Every transcript in this folder, each against a server of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SERVICES, type Service } from '../../src/config.ts';
import { startTestStack, type TestStack } from '../test-stack.ts';
import { readTranscripts } from './read.ts';
import { runTranscript, type TranscriptServer } from './run.ts';
import { notUnderstood } from './understood.ts';

for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.md'))) {
  const transcripts = readTranscripts(file, readFileSync(`${import.meta.dirname}/${file}`, 'utf8'));
  describe(file, () => {
    test.each(transcripts.map((transcript) => [transcript.title, transcript] as const))('%s', async (_, transcript) => {
      await using stack = await startTestStack(...transcript.serverFlags);
      await runTranscript(transcript, serverOf(stack));
      expect(stack.logged).toEqual([]);
      expect(stack.recorder.list().flatMap(notUnderstood)).toEqual([]);
    });
  });
}

function serverOf(stack: TestStack): TranscriptServer {
  const accountOf = async (name: string) => {
    const account = await stack.store.findAccount(`${name}@glass.localhost`);
    if (account === undefined) throw new Error(`There is no account ${name}`);
    return account.id;
  };
  return {
    port(service) {
      if (!isService(service)) throw new Error(`There is no service ${service}`);
      return stack.port(service);
    },
    async createMailbox(account, name) {
      await stack.store.createMailbox(await accountOf(account), name);
    },
    async deliver({ account, mailbox, flags, at }, octets) {
      await using spool = stack.store.spool();
      await spool.write(octets);
      const content = await spool.finish();
      const message = { content, flags, internalDate: at ?? new Date() };
      await stack.store.appendMessages(await accountOf(account), mailbox, [message]);
    },
  };
}

function isService(name: string): name is Service {
  return (SERVICES as readonly string[]).includes(name);
}
