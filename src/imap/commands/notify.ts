/**
 * NOTIFY: RFC 5465 §3.1. NOTIFY SET says what is to be told from now on, NOTIFY NONE that nothing is. What becomes of it
 * stands in `notifications.ts`.
 */
import { command, LOGGED_IN } from '../command.ts';
import { BadSyntax } from '../grammar/bad-syntax.ts';
import type { Parser } from '../grammar/parser.ts';
import { no, ok } from '../grammar/responses.ts';
import type { FetchAttribute } from '../grammar/syntax.ts';
import { EVERYTHING } from '../mailbox-view.ts';
import { EVENTS, MESSAGE_EVENTS, Notifications } from '../notifications.ts';
import type { MailboxFilter, NotifyEvent, Watched } from '../notifications.ts';

type SelectedFilter = { readonly type: 'selected' | 'selected-delayed' };

interface Group {
  readonly filter: MailboxFilter | SelectedFilter;
  /** As written: what is not known here is refused with NO, not with BAD (§3.1). */
  readonly events: readonly string[];
  readonly attributes: readonly FetchAttribute[] | undefined;
}

const NOTHING: Watched = { selected: undefined, groups: [] };

export const notify = command({
  states: LOGGED_IN,
  mayExpunge: true,
  parse(input) {
    if (input.sp().keyword('NONE')) return undefined;
    if (!input.keyword('SET')) throw new BadSyntax('NOTIFY is followed by SET or NONE');
    const status = input.sp().keyword('STATUS');
    if (status) input.sp();
    const groups = [readGroup(input)];
    while (!input.atEnd()) groups.push(readGroup(input.sp()));
    return { status, groups };
  },

  async *run(set, { state, store, session }) {
    if (set?.groups.some(({ events }) => events.some((name) => eventOf(name) === undefined))) {
      return no(`Of these events there is no notification here`, `BADEVENT (${EVENTS.join(' ')})`);
    }
    const watched = set ? toWatched(set.groups) : NOTHING;
    const selected = state.name === 'selected' ? state.view : undefined;
    if (set && selected) {
      // §3.1: what has accumulated is told first, whatever was to be told before.
      selected.interest = EVERYTHING;
      await selected.look();
      yield* session.newsOfSelected(true);
    }
    const notifications = await Notifications.start(store, state.account, watched);
    session.watch(notifications);
    yield await notifications.refused();
    if (set?.status) yield await notifications.statuses(selected?.id);
    return ok('NOTIFY completed');
  },
});

function readGroup(input: Parser): Group {
  input.expect('(');
  const filter = readFilter(input);
  let attributes: readonly FetchAttribute[] | undefined;
  const readEvent = (): string => {
    const name = input.atom('an event such as MessageNew');
    if (eventOf(name) === 'MessageNew' && input.has(' (')) attributes = input.sp().fetchAttributes();
    return name;
  };
  const events = input.sp().keyword('NONE') ? [] : input.list(readEvent);
  input.expect(')');
  return { filter, events, attributes };
}

function readFilter(input: Parser): Group['filter'] {
  const type = input.atom('SELECTED, PERSONAL, SUBTREE or another choice of mailboxes').toLowerCase();
  switch (type) {
    case 'selected':
    case 'selected-delayed':
    case 'personal':
    case 'subscribed':
      return { type };
    case 'inboxes':
      return { type: 'personal' };
    case 'subtree':
    case 'mailboxes':
      return { type, names: input.sp().peek() === '(' ? input.list(() => input.mailbox()) : [input.mailbox()] };
    default:
      throw new BadSyntax(
        'NOTIFY knows SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE and MAILBOXES',
      );
  }
}

/** @throws BadSyntax for combinations that §5, §6.1 and §8 do not allow */
function toWatched(groups: readonly Group[]): Watched {
  let selected: Watched['selected'];
  const others: { mailboxes: MailboxFilter; events: ReadonlySet<NotifyEvent> }[] = [];
  for (const { filter, events: names, attributes } of groups) {
    const events = new Set(names.map((name) => eventOf(name)!));
    if (events.has('MessageNew') !== events.has('MessageExpunge')) {
      throw new BadSyntax('MessageNew and MessageExpunge come together');
    }
    if (events.has('FlagChange') && !events.has('MessageNew')) {
      throw new BadSyntax('FlagChange comes with MessageNew and MessageExpunge');
    }
    if (isSelected(filter)) {
      if (selected) throw new BadSyntax('SELECTED or SELECTED-DELAYED comes once');
      if ([...events].some((event) => !isAboutMessages(event))) {
        throw new BadSyntax('SELECTED is about messages alone');
      }
      selected = { delayed: filter.type === 'selected-delayed', events, attributes: attributes ?? [] };
    } else {
      if (attributes) throw new BadSyntax('Only new messages of the selected mailbox can be fetched');
      others.push({ mailboxes: filter, events });
    }
  }
  return { selected, groups: others };
}

function isSelected(filter: Group['filter']): filter is SelectedFilter {
  return filter.type === 'selected' || filter.type === 'selected-delayed';
}

function eventOf(name: string): NotifyEvent | undefined {
  return EVENTS.find((event) => event.toLowerCase() === name.toLowerCase());
}

function isAboutMessages(event: NotifyEvent): boolean {
  return (MESSAGE_EVENTS as readonly string[]).includes(event);
}
