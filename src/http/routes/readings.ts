/** One message as everybody sees it: as it was received, by IMAP, by POP3. HTTP the page asks for itself. */
import { readByImap, readByPop3, shownOctets, SHOWN } from '../readings.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { mailboxMessagePath } from '../schemas/accounts.ts';
import { problem } from '../schemas/common.ts';
import { type Readings, readings } from '../schemas/readings.ts';
import { placeOf } from './mailboxes.ts';

export const readingRoutes = [
  route({
    method: 'post',
    path: '/api/glass/accounts/{address}/mailboxes/{id}/messages/{uid}/readings',
    group: 'Mailboxes',
    summary: 'Ask our own IMAP and POP3 ports for a message, and show what they say',
    description:
      'Two connections are made, which are recorded. Nothing changes by it: no \\Seen, nothing deleted. Where a port cannot be asked, `problem` tells why.',
    params: mailboxMessagePath,
    answers: {
      200: { description: 'What each said', schema: readings },
      404: { description: 'There is no such message', schema: problem },
    },
    async handle({ params }, parts) {
      const { account, mailbox } = await placeOf(parts, params);
      for await (const [found] of parts.store.fetchMessages(account.id, mailbox.id, [params.uid], { content: true })) {
        const { content } = found ?? {};
        if (!content) break;
        const { traceSize, size } = content;
        const octets: Uint8Array[] = [];
        for await (const piece of content.read(traceSize, Math.min(size, traceSize + SHOWN))) octets.push(piece);
        const snapshot = await parts.store.snapshot(account.id, mailbox.id);
        const row = snapshot.uids.subarray(0, snapshot.count).indexOf(params.uid);
        const flags = row === -1 ? [] : parts.store.flagSet(snapshot.flagSets[row]!);
        const copy = {
          login: account.address,
          mailboxName: mailbox.name,
          uidValidity: mailbox.uidValidity,
          uid: params.uid,
          size,
          isSeen: flags.includes('\\Seen'),
        };
        const [imap, pop3] = await Promise.all([readByImap(parts, copy), readByPop3(parts, copy)]);
        const received = shownOctets(Buffer.concat(octets), size - traceSize);
        return json({ received, traceOctets: traceSize, imap, pop3 } satisfies Readings);
      }
      throw new HttpProblem(404, `there is no message ${params.uid} in this mailbox`);
    },
  }),
];
