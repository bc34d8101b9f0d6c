import { useEffect, useId, useState } from 'react';
import { formatCount } from '../format.ts';
import { ACCOUNTS_SHOWN, loadAccounts, wantCounts } from '../mail.ts';
import { usePlace, withQuery } from '../router.ts';
import { type AccountState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { AddressText } from './person.tsx';

/** Fewer than these need no field to find one. */
const FIND_OVER = 8;

/** @param chosen called when the reader has chosen one */
export function AccountsPane({ chosen }: { readonly chosen?: () => void }) {
  const { query } = usePlace();
  const accounts = useAppState((state) => state.accounts);
  const problem = useAppState((state) => state.accountsProblem);
  const total = useAppState((state) => state.total);
  const unread = useAppState((state) => state.unread);
  const [find, setFind] = useState('');
  const findId = useId();
  const current = query.get('account') ?? undefined;
  const found = (accounts ?? []).filter(({ address }) => address.toLowerCase().includes(find.trim().toLowerCase()));
  const shown = withCurrent(found.slice(0, ACCOUNTS_SHOWN), accounts ?? [], find === '' ? current : undefined);
  const addresses = shown.map(({ address }) => address).join('\n');
  useEffect(() => wantCounts(addresses === '' ? [] : addresses.split('\n')), [addresses]);
  const to = (account: string | undefined): string =>
    withQuery('/mail', query, { account, page: undefined, view: undefined });
  return (
    <div className="accounts">
      <Link
        className="account all"
        to={to(undefined)}
        aria-current={current === undefined ? 'true' : undefined}
        onClick={chosen}
      >
        <Icon name="inbox" />
        <span className="account-name">{texts.mail.all}</span>
        <Counts messages={total} unread={unread} />
      </Link>
      <h2 className="pane-label">{texts.mail.accounts}</h2>
      {problem === undefined ? null : (
        <p className="problem">
          {problem}{' '}
          <button type="button" className="button small" onClick={() => void loadAccounts()}>
            {texts.retry}
          </button>
        </p>
      )}
      {(accounts?.length ?? 0) > FIND_OVER ? (
        <input
          id={findId}
          className="field"
          type="text"
          autoComplete="off"
          spellCheck={false}
          aria-label={texts.mail.findAccount}
          placeholder={texts.mail.findAccount}
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
        />
      ) : null}
      <ul>
        {shown.map((account) => (
          <li key={account.address}>
            <Link
              className="account"
              to={to(account.address)}
              aria-current={current === account.address ? 'true' : undefined}
              onClick={chosen}
            >
              <Icon name="person" />
              <AccountName address={account.address} />
              {account.counts ? <Counts {...account.counts} /> : null}
            </Link>
          </li>
        ))}
      </ul>
      {accounts && shown.length === 0 && find !== '' ? <p className="small-print">{texts.mail.noAccount}</p> : null}
      {found.length > ACCOUNTS_SHOWN ? (
        <p className="small-print">{texts.mail.moreAccounts(found.length - ACCOUNTS_SHOWN)}</p>
      ) : null}
    </div>
  );
}

/** The one that is chosen is there even if the list ends before it. */
function withCurrent(
  shown: readonly AccountState[],
  all: readonly AccountState[],
  current: string | undefined,
): readonly AccountState[] {
  if (current === undefined || shown.some(({ address }) => address === current)) return shown;
  const found = all.find(({ address }) => address === current);
  return found ? [found, ...shown.slice(0, ACCOUNTS_SHOWN - 1)] : shown;
}

/** The domain that everybody here has need not be read each time. */
function AccountName({ address }: { readonly address: string }) {
  const domain = useAppState(({ status }) => status?.defaultDomain);
  const at = address.lastIndexOf('@');
  const isUsual = address.slice(at + 1) === domain;
  return (
    <span className="account-name" title={address}>
      <AddressText address={isUsual ? address.slice(0, at) : address} />
    </span>
  );
}

function Counts({ messages, unread }: { readonly messages: number; readonly unread: number }) {
  return (
    <span className="counts">
      <span aria-hidden="true">
        {unread > 0 ? <b>{formatCount(unread)}</b> : null}
        {unread === 0 ? formatCount(messages) : null}
      </span>
      <span className="visually-hidden">{texts.mail.accountCounts(messages, unread)}</span>
    </span>
  );
}
