/** The commands, in the order of RFC 9051 §6; those of RFC 3501 stand where it had them. An extension adds its lines. */
import type { AnyCommand } from '../command.ts';
import { append } from './append.ts';
import { authenticate } from './authenticate.ts';
import { capability } from './capability.ts';
import { close, unselect } from './close.ts';
import { copy } from './copy.ts';
import { create } from './create.ts';
import { deleteMailbox } from './delete.ts';
import { enable } from './enable.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { id } from './id.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { lsub } from './lsub.ts';
import { move } from './move.ts';
import { namespace } from './namespace.ts';
import { check, noop } from './noop.ts';
import { rename } from './rename.ts';
import { search } from './search.ts';
import { select } from './select.ts';
import { starttls } from './starttls.ts';
import { status } from './status.ts';
import { store } from './store.ts';
import { subscribe } from './subscribe.ts';

export const COMMANDS: ReadonlyMap<string, AnyCommand> = new Map<string, AnyCommand>([
  // §6.1 any state
  ['CAPABILITY', capability],
  ['NOOP', noop],
  ['LOGOUT', logout],
  ['ID', id], // RFC 2971
  // §6.2 not authenticated
  ['STARTTLS', starttls],
  ['AUTHENTICATE', authenticate],
  ['LOGIN', login],
  // §6.3 authenticated
  ['ENABLE', enable],
  ['SELECT', select],
  ['EXAMINE', select],
  ['CREATE', create],
  ['DELETE', deleteMailbox],
  ['RENAME', rename],
  ['SUBSCRIBE', subscribe],
  ['UNSUBSCRIBE', subscribe],
  ['LIST', list],
  ['LSUB', lsub], // RFC 3501 §6.3.9
  ['NAMESPACE', namespace],
  ['STATUS', status],
  ['APPEND', append],
  ['IDLE', idle],
  // §6.4 selected
  ['CHECK', check], // RFC 3501 §6.4.1
  ['CLOSE', close],
  ['UNSELECT', unselect],
  ['EXPUNGE', expunge],
  ['SEARCH', search],
  ['FETCH', fetch],
  ['STORE', store],
  ['COPY', copy],
  ['MOVE', move],
  // §6.4.9
  ['UID COPY', copy],
  ['UID MOVE', move],
  ['UID FETCH', fetch],
  ['UID STORE', store],
  ['UID SEARCH', search],
  ['UID EXPUNGE', expunge],
]);
