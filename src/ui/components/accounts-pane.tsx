import { useEffect, useId, useState } from 'react';
import type { Mailbox } from '../../http/schemas/accounts.ts';
import { formatCount } from '../format.ts';
import { ACCOUNTS_SHOWN, loadAccounts, wantCounts } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import { mailboxAddress, wishOfQuery, writeAddress } from '../mail-places.ts';
import { type Use, loadMailboxes, mailboxTree, useOf } from '../mailboxes.ts';
import { usePlace } from '../router.ts';
import { type AccountState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { Icon, type IconName } from './icons.tsx';
import { Link } from './link.tsx';
import { MailboxDialog } from './mail-mailbox-dialog.tsx';
import { AddressText } from './person.tsx';
import { SavedSearches } from './saved-searches.tsx';

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
  const { account: current, mailbox } = wishOfQuery(query);
  const found = (accounts ?? []).filter(({ address }) => address.toLowerCase().includes(find.trim().toLowerCase()));
  const shown = withCurrent(found.slice(0, ACCOUNTS_SHOWN), accounts ?? [], find === '' ? current : undefined);
  const addresses = shown.map(({ address }) => address).join('\n');
  useEffect(() => wantCounts(addresses === '' ? [] : addresses.split('\n')), [addresses]);
  return (
    <div className="accounts">
      <Link className="button write" to={writeAddress(query, 'new')} onClick={chosen}>
        <Icon name="pencil" />
        {mailTexts.write}
      </Link>
      <Link
        className="account all"
        to={mailboxAddress(query, undefined)}
        aria-current={current === undefined ? 'true' : undefined}
        onClick={chosen}
      >
        <Icon name="inbox" />
        <span className="account-name">{texts.mail.all}</span>
        <Counts label={texts.mail.accountCounts} messages={total} unread={unread} />
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
          <AccountItem
            key={account.address}
            account={account}
            query={query}
            isCurrent={current === account.address}
            mailbox={current === account.address ? mailbox : undefined}
            chosen={chosen}
          />
        ))}
      </ul>
      {accounts && shown.length === 0 && find !== '' ? <p className="small-print">{texts.mail.noAccount}</p> : null}
      {found.length > ACCOUNTS_SHOWN ? (
        <p className="small-print">{texts.mail.moreAccounts(found.length - ACCOUNTS_SHOWN)}</p>
      ) : null}
      <SavedSearches chosen={chosen} />
    </div>
  );
}

/** Accounts that the reader has folded out or in; the one that is open is out unless he has folded it in. */
const folds = new Map<string, boolean>();

interface AccountItemProps {
  readonly account: AccountState;
  readonly query: URLSearchParams;
  readonly isCurrent: boolean;
  /** The name of the one that is listed. */
  readonly mailbox: string | undefined;
  readonly chosen: (() => void) | undefined;
}

function AccountItem({ account, query, isCurrent, mailbox, chosen }: AccountItemProps) {
  const { address, counts } = account;
  const [folded, setFolded] = useState(folds.get(address));
  const isOut = folded ?? isCurrent;
  const fold = (): void => {
    folds.set(address, !isOut);
    setFolded(!isOut);
  };
  return (
    <li className="account-item">
      <button
        type="button"
        className="tool small fold"
        aria-expanded={isOut}
        aria-label={mailTexts.mailbox.fold(address)}
        onClick={fold}
      >
        <Icon name={isOut ? 'down' : 'next'} />
      </button>
      <Link
        className="account"
        to={mailboxAddress(query, address)}
        aria-current={isCurrent && mailbox === undefined ? 'true' : undefined}
        onClick={chosen}
      >
        <AccountName address={address} />
        {counts ? <Counts label={texts.mail.accountCounts} {...counts} /> : null}
      </Link>
      {isOut ? <Mailboxes account={address} query={query} current={mailbox} chosen={chosen} /> : null}
    </li>
  );
}

const USE_ICONS: Readonly<Record<NonNullable<Use>, IconName>> = {
  inbox: 'inbox',
  '\\Drafts': 'drafts',
  '\\Sent': 'sent',
  '\\Junk': 'junk',
  '\\Trash': 'trash',
  '\\Archive': 'archive',
};

export function mailboxIcon(mailbox: Mailbox): IconName {
  const use = useOf(mailbox);
  return use === undefined ? 'folder' : USE_ICONS[use];
}

interface MailboxesProps {
  readonly account: string;
  readonly query: URLSearchParams;
  readonly current: string | undefined;
  readonly chosen: (() => void) | undefined;
}

function Mailboxes({ account, query, current, chosen }: MailboxesProps) {
  const mailboxes = useAppState((state) => state.mailboxes.get(account));
  const [creates, setCreates] = useState(false);
  const isKnown = mailboxes !== undefined;
  useEffect(() => {
    // What goes wrong here is told where the mailbox is opened.
    if (!isKnown) void loadMailboxes(account).catch(() => undefined);
  }, [account, isKnown]);
  if (!mailboxes) return <p className="small-print">{texts.mail.loading}</p>;
  return (
    <>
      <ul className="mailboxes" aria-label={mailTexts.mailbox.list(account)}>
        {mailboxTree(mailboxes).map(({ mailbox, label, depth }) => (
          <li key={mailbox.id} className={`level-${Math.min(depth, 6)}`}>
            <Link
              className="account mailbox"
              to={mailboxAddress(query, account, mailbox.name)}
              aria-current={current === mailbox.name ? 'true' : undefined}
              title={mailbox.name}
              onClick={chosen}
            >
              <Icon name={mailboxIcon(mailbox)} />
              <span className="account-name">
                <bdi>{visibleName(label)}</bdi>
              </span>
              <Counts label={mailTexts.mailbox.counts} messages={mailbox.messages} unread={mailbox.unseen} />
            </Link>
          </li>
        ))}
      </ul>
      <button type="button" className="button small plain new-mailbox" onClick={() => setCreates(true)}>
        {mailTexts.mailbox.create}
      </button>
      {creates ? <MailboxDialog account={account} mailbox={undefined} close={() => setCreates(false)} /> : null}
    </>
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

interface CountsProps {
  readonly label: (messages: number, unread: number) => string;
  readonly messages: number;
  readonly unread: number;
}

function Counts({ label, messages, unread }: CountsProps) {
  return (
    <span className="counts">
      <span aria-hidden="true">
        {unread > 0 ? <b>{formatCount(unread)}</b> : null}
        {unread === 0 && messages > 0 ? formatCount(messages) : null}
      </span>
      <span className="visually-hidden">{label(messages, unread)}</span>
    </span>
  );
}
