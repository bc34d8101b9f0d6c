/** What the doctor makes of all conversations. */
import type { Diagnosis } from '../../glass/doctor/diagnosis.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type { Conversation } from '../../wire/recorder.ts';
import type { HttpParts } from '../parts.ts';
import { json, route } from '../route.ts';
import { type ConversationDiagnoses, type Diagnoses, diagnosesAnswer, diagnosesQuery } from '../schemas/diagnoses.ts';

export const diagnosesRoutes = [
  route({
    method: 'get',
    path: '/api/glass/diagnoses',
    group: 'Conversations',
    summary: 'What is wrong with clients, in plain words',
    description:
      'Of every conversation that is kept, and across them. Each diagnosis says what happened, which events show it, and what to change. The cases are listed in the README.',
    query: diagnosesQuery,
    answers: { 200: { description: 'What was found', schema: diagnosesAnswer } },
    async handle({ query }, parts) {
      const { recorder, doctor, defaultDomain } = parts;
      const account = query.account === undefined ? undefined : loginAddress(query.account, defaultDomain);
      const since = query.since === undefined ? -Infinity : Date.parse(query.since);
      const all = recorder.list();
      const visit = doctor?.visit(recorder);
      const isSolved = solvedBy(all);
      const counts = { problem: 0, advice: 0, note: 0 };
      const isWanted = ({ severity }: Diagnosis): boolean =>
        query.severity === undefined || severity === query.severity;
      const conversations: ConversationDiagnoses[] = [];
      for (const conversation of all.toReversed()) {
        const { id, service, openedAt, login } = conversation;
        if (openedAt < since || (query.service !== undefined && service !== query.service)) continue;
        if (account !== undefined && !namesOf(conversation, defaultDomain).has(account)) continue;
        const diagnoses = visit?.diagnosesOf(conversation) ?? [];
        const solved = isSolved(conversation);
        if (!solved) for (const { severity } of diagnoses) counts[severity]++;
        const wanted = diagnoses.filter(isWanted);
        if (wanted.length === 0 || conversations.length >= query.limit) continue;
        const opened = new Date(openedAt).toISOString();
        conversations.push({ conversation: id, service, opened, login: login ?? null, solved, diagnoses: [...wanted] });
      }
      const across = (parts.scope ? [] : (doctor?.across(recorder) ?? [])).filter(
        ({ service }) => query.service === undefined || service === null || service === query.service,
      );
      for (const { severity } of across) counts[severity]++;
      return json({
        now: new Date().toISOString(),
        counts,
        conversations,
        across: across.filter(isWanted).map((each) => ({ ...each, conversations: [...each.conversations] })),
        services: servicesOf(parts, query.service),
      } satisfies Diagnoses);
    },
  }),
];

/** Every account as which it logged in, or tried to. */
function namesOf(conversation: Conversation, defaultDomain: string): ReadonlySet<string> {
  const names = [...conversation.logins];
  for (const { annotation } of conversation.annotations()) {
    if (annotation.type === 'login-failed' && annotation.login !== '') names.push(annotation.login);
  }
  return new Set(names.map((name) => loginAddress(name, defaultDomain)));
}

/** Whether the same computer has logged in by the same protocol since: then what was wrong is over. */
function solvedBy(all: readonly Conversation[]): (conversation: Conversation) => boolean {
  const keyOf = ({ remote, protocol }: Conversation): string => `${protocol} ${remote.address}`;
  const newest = new Map<string, number>();
  for (const conversation of all)
    if (conversation.login !== undefined) newest.set(keyOf(conversation), conversation.number);
  return (conversation) => (newest.get(keyOf(conversation)) ?? -1) > conversation.number;
}

/** How busy the ports are is nothing for a test scope. */
function servicesOf({ doctor, scope }: HttpParts, wanted: string | undefined): Diagnoses['services'] {
  if (scope || !doctor) return [];
  return Object.entries(doctor.services())
    .filter(([service]) => wanted === undefined || service === wanted)
    .map(([service, { port, tls, accepted, acceptedAt }]) => ({
      service,
      port,
      tls,
      connections: accepted,
      last: acceptedAt === undefined ? null : new Date(acceptedAt).toISOString(),
    }));
}
