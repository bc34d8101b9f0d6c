/** A search as a filter of the store. */
import type { AccountId } from '../store/change.ts';
import type { MailStore, TransactionFilter } from '../store/mail-store.ts';
import type { SearchQuery } from '../store/search-query.ts';
import { badInput } from './problem.ts';
import { type ParsedSearch, isTimeZone, parseSearch } from './search-language.ts';

/** What the search language asks of the list of transactions. Terms that cannot be read have been passed over. */
export async function searchFilter(
  store: MailStore,
  search: ParsedSearch,
  account?: AccountId,
): Promise<TransactionFilter> {
  const ids = await Promise.all(search.ids.map(({ id, negated }) => idQuery(store, id, negated)));
  const query: SearchQuery = ids.length === 0 ? search.query : { type: 'and', queries: [search.query, ...ids] };
  return {
    ...(query.type !== 'all' && { query }),
    ...(search.read !== undefined && { read: search.read }),
    ...(account !== undefined && { account }),
  };
}

async function idQuery(store: MailStore, id: string, negated: boolean): Promise<SearchQuery> {
  const found = await store.findTransaction(id);
  const query: SearchQuery = found ? { type: 'email', email: found.emailId } : { type: 'not', query: { type: 'all' } };
  return negated ? { type: 'not', query } : query;
}

/** For our own routes, which say what cannot be read. @throws HttpProblem 400 */
export function parseStrictly(
  text: string,
  timeZone: string | undefined,
  where: 'query' | 'body' = 'query',
): ParsedSearch {
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    throw badInput([{ in: where, field: 'tz', rule: 'must be a time zone such as Europe/Berlin' }]);
  }
  const search = parseSearch(text, { timeZone });
  if (search.problems.length > 0) {
    const rules = search.problems.slice(0, 20).map(({ term, rule }) => `${term}: ${rule}`);
    throw badInput(rules.map((rule) => ({ in: where, field: 'query', rule })));
  }
  return search;
}
