/** The filter over the list of conversations. Pure. */
import type { ConversationItem } from '../http/schemas/conversations.ts';
import { formatEndpoint } from './format.ts';
import { serviceName } from './texts.ts';

/** Words, all of which must be found; `user:alice`, `port:1143`, `has:tls`, `has:problem`, `is:open`. */
export function passes(item: ConversationItem, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .every((word) => passesWord(item, word));
}

function passesWord(item: ConversationItem, word: string): boolean {
  const [, field = '', value = ''] = /^(user|port|has|is):(.*)$/.exec(word) ?? [];
  switch (field) {
    case 'user':
      return item.login?.toLowerCase().includes(value) ?? false;
    case 'port':
      return String(item.local.port).startsWith(value);
    case 'has':
      return value === 'tls' ? item.tls !== null : value === 'problem' ? item.problem !== null : value === '';
    case 'is':
      return value === 'open' ? item.closed === null : value === 'closed' ? item.closed !== null : value === '';
    default:
      return textOf(item).includes(word);
  }
}

function textOf(item: ConversationItem): string {
  const { service, protocol, remote, local, tls, login, problem, id } = item;
  const parts = [id, service, protocol, serviceName(service), formatEndpoint(remote), formatEndpoint(local)];
  return [...parts, tls ? `${tls.version} ${tls.cipher}` : 'plain', login ?? '', problem ?? ''].join(' ').toLowerCase();
}
