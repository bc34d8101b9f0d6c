/** Everything that one needs who connects a mail program, and how far it has come. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { splitAddress } from '../../mail/address.ts';
import { loginAddress } from '../../sasl/login-name.ts';
import type { Endpoint } from '../../wire/connection.ts';
import { accountsNamed, newestAttempt } from '../../glass/setup-steps.ts';
import type { Account } from '../../store/mail-store.ts';
import { isPrivateAddress } from '../access.ts';
import { dnsRecords } from '../connect/dns-records.ts';
import { offeredServices, serverName, urlHost } from '../connect/offer.ts';
import { isPlain, textConfigurations } from '../connect/text-configurations.ts';
import type { HttpParts } from '../parts.ts';
import { badInput, HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import {
  type ConnectProgress,
  type ConnectSettings,
  connectProgress,
  connectQuery,
  connectSettings,
  progressQuery,
} from '../schemas/connect.ts';

export const connectRoutes = [
  route({
    method: 'get',
    path: '/api/glass/connect',
    group: 'Mail programs',
    summary: 'The settings of a mail program, in every form',
    query: connectQuery,
    answers: {
      200: { description: 'Services, certificates, DNS records and ready-made texts', schema: connectSettings },
      400: { description: 'The host is none', schema: problem },
      404: { description: 'There is no such account', schema: problem },
    },
    async handle({ query, request, client }, parts) {
      const { address: account } = await accountOf(query.account, parts);
      const host = serverName(query.host ?? request.headers.get('host') ?? 'localhost');
      if (host === undefined)
        throw badInput([{ in: 'query', field: 'host', rule: 'must be a host name or an address' }]);
      const endpoints = parts.services();
      const services = offeredServices(endpoints);
      const application = parts.mode === 'capture' ? endpoints.smtp?.port : undefined;
      const { certificates } = parts;
      const password = client.administers ? await parts.knownPassword?.(account) : undefined;
      const name = splitAddress(account)!;
      const hasProfile =
        services.some(({ protocol }) => protocol === 'smtp') && services.some(({ protocol }) => protocol !== 'smtp');
      const authorityUrl =
        certificates?.authorityPem === undefined ? undefined : `${origin(request, host, endpoints)}/ca.pem`;
      return json({
        account,
        host,
        userName: account,
        password: password ?? null,
        services,
        application: application ?? null,
        loopbackOnly: services.every(({ service }) => isLoopback(endpoints[service]!.address)),
        networkAddresses: networkAddresses(),
        authority: certificates?.fingerprints.authority ?? null,
        certificate: certificates
          ? { fingerprints: certificates.fingerprints.server, names: [...certificates.names] }
          : null,
        profile: hasProfile ? `/connect/${encodeURIComponent(account)}.mobileconfig` : null,
        records: dnsRecords(name.domain, host, services, endpoints.https?.port),
        configurations: isPlain(account)
          ? textConfigurations({
              host,
              account,
              password: password !== undefined && isPlain(password) ? password : undefined,
              services,
              application,
              authorityUrl,
            })
          : [],
      } satisfies ConnectSettings);
    },
  }),
  route({
    method: 'get',
    path: '/api/glass/connect/progress',
    group: 'Mail programs',
    summary: 'How far a mail program has come that somebody connects',
    description:
      'The conversations of its newest attempt are looked at: those from one address without a pause of two minutes.',
    query: progressQuery,
    answers: {
      200: { description: 'Each step, with the conversation that shows it', schema: connectProgress },
      404: { description: 'There is no such account', schema: problem },
    },
    async handle({ query }, parts) {
      const account = await accountOf(query.account, parts);
      const { store, recorder, defaultDomain } = parts;
      const conversations = recorder.list();
      const since = query.since === undefined ? 0 : Date.parse(query.since);
      const named = new Set(conversations.flatMap((each) => [...accountsNamed(each, defaultDomain)]));
      named.delete(account.address);
      const known = await Promise.all([...named].map((name) => store.findAccount(name)));
      const mailboxes = await store.listMailboxes(account.id);
      const { began, client, steps } = newestAttempt(conversations, {
        account: account.address,
        defaultDomain,
        others: new Set(known.flatMap((found) => (found ? [found.address] : []))),
        sentMailboxes: new Set(
          mailboxes.flatMap(({ name, specialUse }) => (specialUse.includes('\\Sent') ? [name] : [])),
        ),
        since,
      });
      // How busy the ports are is nothing for a test scope.
      const counted = parts.scope ? undefined : parts.doctor?.services();
      const visit = parts.doctor?.visit(recorder);
      return json({
        account: account.address,
        recording: recorder.recording,
        began: began === undefined ? null : new Date(began).toISOString(),
        client: client ?? null,
        steps: steps.map((each) => {
          const { step, state, at, conversation, detail } = each;
          const ofSame = steps.filter((other) => other.conversation === conversation);
          const isLast = each === (ofSame.find((other) => other.state === 'failed') ?? ofSame.at(-1));
          return {
            step,
            state,
            at: at === undefined ? null : new Date(at).toISOString(),
            conversation: conversation?.id ?? null,
            service: conversation?.service ?? null,
            detail: detail ?? null,
            diagnoses: conversation && isLast ? (visit?.diagnosesOf(conversation) ?? []) : [],
          };
        }),
        services: offeredServices(parts.services()).map(({ service, port }) => ({
          service,
          port,
          connections: counted ? (counted[service]?.accepted ?? 0) : null,
        })),
      } satisfies ConnectProgress);
    },
  }),
];

/** @throws HttpProblem 404 */
async function accountOf(login: string | undefined, { store, defaultDomain }: HttpParts): Promise<Account> {
  const account =
    login === undefined ? (await store.listAccounts())[0] : await store.findAccount(loginAddress(login, defaultDomain));
  if (!account) {
    throw new HttpProblem(404, login === undefined ? 'there is no account yet' : 'there is no such account');
  }
  return account;
}

/** Where the authority can be fetched before it is trusted: over HTTP, by the port at which this request came if it did. */
function origin(request: Request, host: string, endpoints: Readonly<Record<string, Endpoint>>): string {
  const { protocol, port } = new URL(request.url);
  if (protocol === 'http:') return `http://${urlHost(host)}${port === '' ? '' : `:${port}`}`;
  const clear = endpoints.http?.port;
  return clear === undefined
    ? `https://${urlHost(host)}${port === '' ? '' : `:${port}`}`
    : `http://${urlHost(host)}:${clear}`;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** By which other computers of the same network may reach this one. */
function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && isPrivateAddress(address) && !address.startsWith('fe80:'))
    .map(({ address }) => address)
    .sort((a, b) => isIP(a) - isIP(b)); // those of four numbers are easier to type
}
