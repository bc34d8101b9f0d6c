/** Recorded conversations. Their events leave through the veil. */
import { loginAddress } from '../../sasl/login-name.ts';
import { conversationDetail, conversationItem } from '../../glass/conversation.ts';
import { searchConversations } from '../../glass/conversation-search.ts';
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type ConversationDetail,
  type ConversationList,
  type ConversationsDeleted,
  conversationDetail as conversationDetailSchema,
  conversationList,
  conversationPath,
  conversationQuery,
  conversationsDeleted,
  conversationsQuery,
} from '../schemas/conversations.ts';

export const conversationRoutes = [
  route({
    method: 'get',
    path: '/api/glass/conversations',
    group: 'Conversations',
    summary: 'Recorded connections, newest first',
    query: conversationsQuery,
    answers: { 200: { description: 'Those that are kept and pass the filters', schema: conversationList } },
    async handle({ query }, { recorder, defaultDomain, doctor }) {
      const account = query.account === undefined ? undefined : loginAddress(query.account, defaultDomain);
      const found = recorder.list().filter(({ service, protocol, login }) => {
        if (!query.http && protocol === 'http') return false;
        const isOf = () => login !== undefined && loginAddress(login, defaultDomain) === account;
        return (query.service === undefined || service === query.service) && (account === undefined || isOf());
      });
      // Before the search, which gives others a turn: what changes meanwhile is told by the feed.
      const { revision, recording } = recorder;
      const newestFirst = found.reverse();
      const { text } = query;
      const search =
        text === undefined ? { matches: newestFirst, unsearched: 0 } : await searchConversations(newestFirst, text);
      const visit = doctor?.visit(recorder);
      return json({
        revision,
        recording,
        total: search.matches.length,
        unsearched: search.unsearched,
        conversations: search.matches.slice(0, query.limit).map((each) => conversationItem(each, visit)),
      } satisfies ConversationList);
    },
  }),
  route({
    method: 'delete',
    path: '/api/glass/conversations',
    group: 'Conversations',
    summary: 'Forget the conversations that are closed',
    answers: { 200: { description: 'How many there were', schema: conversationsDeleted } },
    async handle(_input, { recorder }) {
      return json({ deleted: recorder.clear() } satisfies ConversationsDeleted);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/conversations/{id}',
    group: 'Conversations',
    summary: 'What passed on one connection, secrets hidden',
    params: conversationPath,
    query: conversationQuery,
    answers: {
      200: { description: 'The conversation with its events', schema: conversationDetailSchema },
      404: { description: 'There never was such a conversation', schema: problem },
      410: { description: 'It is no longer kept', schema: problem },
    },
    async handle({ params, query }, { recorder, doctor }) {
      const found = recorder.find(params.id);
      if (found === undefined) throw new HttpProblem(404, `there never was a conversation ${params.id}`);
      if (found === 'gone') {
        throw new HttpProblem(410, `the conversation ${params.id} is gone: only the newest ones are kept`);
      }
      return json(conversationDetail(found, query.since, doctor?.visit(recorder)) satisfies ConversationDetail);
    },
  }),
];
