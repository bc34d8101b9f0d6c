/** What leaves a conversation on request: its secrets, which are logged, and files for people and programs. */
import { conversationDetail } from '../../glass/conversation.ts';
import { conversationAsFixture } from '../../glass/export/fixture.ts';
import { pcapng } from '../../glass/export/pcapng.ts';
import { conversationAsText } from '../../glass/export/text.ts';
import { reveal } from '../../glass/reveal.ts';
import type { Conversation } from '../../wire/recorder.ts';
import type { HttpParts } from '../parts.ts';
import { HttpProblem } from '../problem.ts';
import { type Client, json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  exportManyQuery,
  exportQuery,
  type RevealAnswer,
  revealAnswer,
  revealBody,
} from '../schemas/conversation-exports.ts';
import { conversationPath } from '../schemas/conversations.ts';

const TYPES = {
  text: { type: 'text/plain; charset=utf-8', ending: 'txt' },
  json: { type: 'application/json', ending: 'json' },
  fixture: { type: 'text/markdown; charset=utf-8', ending: 'md' },
  pcapng: { type: 'application/x-pcapng', ending: 'pcapng' },
} as const;
type Form = keyof typeof TYPES;

const GONE = {
  404: { description: 'There never was such a conversation', schema: problem },
  410: { description: 'It is no longer kept', schema: problem },
} as const;
const FORBIDDEN = { description: 'Secrets are told to administrators alone', schema: problem } as const;

export const conversationExportRoutes = [
  route({
    method: 'get',
    path: '/api/glass/conversations/export',
    group: 'Conversations',
    summary: 'Several conversations as one file',
    description: 'Secrets are hidden, except in a `pcapng`: it has the octets as they passed the network.',
    query: exportManyQuery,
    answers: { 200: { description: 'The file', type: 'application/octet-stream' }, 403: FORBIDDEN },
    async handle({ query, client }, parts) {
      const found = parts.recorder
        .list()
        .filter(({ service }) => query.service === undefined || service === query.service);
      return file(found.slice(-query.limit), query.as, query.keys, client, parts);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/conversations/{id}/export',
    group: 'Conversations',
    summary: 'A conversation as a file',
    description: 'Secrets are hidden, except in a `pcapng`: it has the octets as they passed the network.',
    params: conversationPath,
    query: exportQuery,
    answers: { 200: { description: 'The file', type: 'application/octet-stream' }, 403: FORBIDDEN, ...GONE },
    async handle({ params, query, client }, parts) {
      return file([conversationOf(parts, params.id)], query.as, query.keys, client, parts);
    },
  }),
  route({
    method: 'post',
    path: '/api/glass/conversations/{id}/reveal',
    group: 'Conversations',
    summary: 'The secrets of a conversation',
    description: 'Who asked is logged, and remarked in the conversation.',
    params: conversationPath,
    body: revealBody,
    answers: { 200: { description: 'What is hidden elsewhere', schema: revealAnswer }, 403: FORBIDDEN, ...GONE },
    async handle({ params, body, client }, parts) {
      const conversation = conversationOf(parts, params.id);
      mayReveal(client);
      const revealed = reveal(conversation, body.seq);
      remark(conversation, 'text', client, parts);
      return json({ revealed } satisfies RevealAnswer);
    },
  }),
];

function conversationOf({ recorder }: HttpParts, id: string): Conversation {
  const found = recorder.find(id);
  if (found === undefined) throw new HttpProblem(404, `there never was a conversation ${id}`);
  if (found === 'gone') throw new HttpProblem(410, `the conversation ${id} is gone: only the newest ones are kept`);
  return found;
}

function mayReveal({ administers }: Client): void {
  if (administers) return;
  throw new HttpProblem(
    403,
    'secrets are told with the control token of the data folder, with the login of the HTTP port, or in capture mode to a private address',
  );
}

/** Nobody sees secrets without a trace. */
function remark(conversation: Conversation, what: 'text' | 'octets' | 'keys', client: Client, parts: HttpParts): void {
  const to = client.address ?? 'unknown';
  parts.log('warn', `reveal: ${what} of conversation ${conversation.id} with its secrets went to ${to}`);
  conversation.annotate({ type: 'revealed', what, to });
}

function file(
  conversations: readonly Conversation[],
  as: Form,
  keys: boolean,
  client: Client,
  parts: HttpParts,
): Response {
  if (as === 'pcapng') {
    const withSecrets = conversations.filter((conversation) => keys || passedInClear(conversation));
    if (withSecrets.length > 0) mayReveal(client);
    const octets = pcapng(conversations, keys);
    for (const conversation of withSecrets) remark(conversation, keys ? 'keys' : 'octets', client, parts);
    return answer(octets, as, conversations);
  }
  if (as === 'json') {
    const visit = parts.doctor?.visit(parts.recorder);
    const details = conversations.map((conversation) => conversationDetail(conversation, 0, visit));
    return answer(JSON.stringify(conversations.length === 1 ? details[0] : details, undefined, 1), as, conversations);
  }
  const print = as === 'text' ? conversationAsText : conversationAsFixture;
  return answer(conversations.map(print).join('\n'), as, conversations);
}

/** Octets that an eavesdropper could read: they hold secrets as they are. */
function passedInClear(conversation: Conversation): boolean {
  return conversation.since(0).events.some((event) => event.type === 'octets' && event.view === 'both');
}

function answer(body: string | Buffer, as: Form, conversations: readonly Conversation[]): Response {
  const { type, ending } = TYPES[as];
  const [first] = conversations;
  const name = conversations.length === 1 && first !== undefined ? `${first.service}-${first.id}` : 'conversations';
  return new Response(typeof body === 'string' ? body : new Uint8Array(body), {
    headers: {
      'Content-Type': type,
      'Content-Disposition': `attachment; filename="glassmail-${name}.${ending}"`,
      'Cache-Control': 'no-store',
    },
  });
}
