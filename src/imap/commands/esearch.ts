/**
 * ESEARCH, the command: RFC 7377 (MULTISEARCH). Each mailbox with messages that match gets a response of its own; what is
 * selected stays so. TEXT and BODY match as strictly as in SEARCH (§2.3).
 */
import type { AccountId } from '../../store/change.ts';
import type { Mailbox, MailStore } from '../../store/mail-store.ts';
import { isOthersName } from '../../store/other-users.ts';
import { ALL_RIGHTS, hasRight } from '../../store/rights.ts';
import { command, LOGGED_IN, type Context } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import { DELIMITER } from '../grammar/mailbox-name.ts';
import { ok } from '../grammar/responses.ts';
import { multisearchProgram } from '../grammar/search-programs.ts';
import type { MultisearchProgram, SearchSource } from '../grammar/syntax.ts';
import { MailboxView } from '../mailbox-view.ts';
import { assertWithin } from '../message-limit.ts';
import { answerSearch, noUpdate, refusedSearch, type SearchAnswer } from '../search-answers.ts';

type LoggedIn = Context<'authenticated' | 'selected'>;

export const esearch = command({
  states: LOGGED_IN,
  // All that it says is said by UID.
  mayExpunge: true,
  parse: (input) => multisearchProgram(input.sp()),
  async *run(args, context) {
    const { tag, state, store, session } = context;
    const selected = state.name === 'selected' ? state.view : undefined;
    if (args.program === undefined) return refusedSearch(args, selected);
    const { program } = args;
    assertSelected(program, selected);
    if (selected) {
      await selected.look();
      yield* session.newsOfSelected(false);
    }
    const mailboxes = await mailboxesOf(program.sources, state.account, store, selected);
    // RFC 9738 §3.1 names one UID below which the client goes on: of several mailboxes there is none.
    assertWithin(
      mailboxes.reduce((sum, { messages }) => sum + messages, 0),
      session.options,
    );
    for (const mailbox of mailboxes) {
      const { found, responses } = await searchIn(mailbox, program, selected, context);
      // §2.1: nothing is said of mailboxes without a match.
      yield found > 0 ? responses : responses.filter(({ type }) => type !== 'search');
    }
    const isKeptUp = mailboxes.some(({ id }) => id === selected?.id);
    if (program.returns?.includes('UPDATE') && !isKeptUp) yield noUpdate(tag);
    return ok('ESEARCH completed');
  },
});

/** §2.2 */
function assertSelected({ sources, returns }: MultisearchProgram, selected: MailboxView | undefined): void {
  const named = sources.some(({ name }) => name === 'selected');
  if (named && !selected) throw new BadSyntax('No mailbox is selected: say IN which mailboxes to search');
  if (returns?.includes('SAVE') && !(named && sources.every(({ name }) => name === 'selected'))) {
    throw new BadSyntax('SAVE is for the selected mailbox alone');
  }
  if (returns?.includes('UPDATE') && !selected)
    throw new BadSyntax('UPDATE is for the selected mailbox, and there is none');
}

async function searchIn(
  mailbox: Mailbox,
  program: MultisearchProgram,
  selected: MailboxView | undefined,
  { tag, state: { account }, store, session }: LoggedIn,
): Promise<SearchAnswer> {
  const isSelected = mailbox.id === selected?.id;
  // Somebody may have deleted it since it was listed.
  if (!isSelected && !(await store.findMailbox(account, mailbox.id, 'r'))) return { found: 0, responses: [] };
  const view = isSelected
    ? selected
    : await MailboxView.open(store, account, mailbox.id, { readOnly: true, dialect: session.dialect });
  const { returns = ['ALL'] as const } = program;
  // §2.2: only the selected mailbox's result can be kept up.
  const here = { ...program, returns: isSelected ? returns : returns.filter((option) => option !== 'UPDATE') };
  const correlator = { tag, uid: true, mailbox: { name: view.name, uidValidity: view.uidValidity } };
  return answerSearch(here, view, correlator, { store, session });
}

/** Each once, in the order of their names; names that no mailbox has, or none that may be read, are passed over (RFC 7377 §2.2, §5). */
async function mailboxesOf(
  sources: readonly SearchSource[],
  account: AccountId,
  store: MailStore,
  selected: MailboxView | undefined,
): Promise<readonly Mailbox[]> {
  const listed = await store.listMailboxes(account);
  const hidden = await unlisted(sources, listed, account, store);
  const readable = [...listed, ...hidden].filter(({ rights = ALL_RIGHTS }) => hasRight(rights, 'r'));
  return readable.filter((mailbox) => sources.some((source) => isIn(mailbox, source, account, selected)));
}

/** RFC 7377 §2.2: those that are named need not be such as can be listed. */
async function unlisted(
  sources: readonly SearchSource[],
  listed: readonly Mailbox[],
  account: AccountId,
  store: MailStore,
): Promise<Mailbox[]> {
  const named = sources.flatMap((source) => (source.name === 'mailboxes' ? source.mailboxes : []));
  const others = new Set(named.filter((name) => isOthersName(name))).difference(
    new Set(listed.map(({ name }) => name)),
  );
  const found = await Promise.all(Array.from(others, (name) => store.findMailbox(account, name)));
  return found.filter((mailbox) => mailbox !== undefined);
}

/** RFC 5465 §6, RFC 7377 §2.2. */
function isIn(
  { id, account: owner, name, subscribed }: Mailbox,
  source: SearchSource,
  account: AccountId,
  selected: MailboxView | undefined,
): boolean {
  switch (source.name) {
    case 'selected':
      return id === selected?.id;
    case 'personal':
      return owner === account;
    case 'inboxes':
      return name === 'INBOX'; // where messages are delivered
    case 'subscribed':
      return subscribed;
    case 'mailboxes':
      return source.mailboxes.includes(name);
    case 'subtree':
      return source.mailboxes.some((top) => name === top || name.startsWith(top + DELIMITER));
    case 'subtree-one':
      return source.mailboxes.some((top) => name === top || isChild(name, top));
  }
}

function isChild(name: string, top: string): boolean {
  return name.startsWith(top + DELIMITER) && !name.includes(DELIMITER, top.length + 1);
}
