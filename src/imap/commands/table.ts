/** The commands, in the order of RFC 9051 §6; those of RFC 3501 stand where it had them. An extension adds its lines. */
import type { AnyCommand } from '../command.ts';
import { append } from './append.ts';
import { authenticate } from './authenticate.ts';
import { cancelUpdate } from './cancelupdate.ts';
import { capability } from './capability.ts';
import { close, unselect } from './close.ts';
import { compress } from './compress.ts';
import { copy } from './copy.ts';
import { create } from './create.ts';
import { deleteMailbox } from './delete.ts';
import { enable } from './enable.ts';
import { esearch } from './esearch.ts';
import { expunge } from './expunge.ts';
import { fetch } from './fetch.ts';
import { getAcl } from './getacl.ts';
import { getMetadata } from './getmetadata.ts';
import { getQuota } from './getquota.ts';
import { getQuotaRoot } from './getquotaroot.ts';
import { id } from './id.ts';
import { idle } from './idle.ts';
import { list } from './list.ts';
import { listRights } from './listrights.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { lsub } from './lsub.ts';
import { move } from './move.ts';
import { myRights } from './myrights.ts';
import { namespace } from './namespace.ts';
import { check, noop } from './noop.ts';
import { notify } from './notify.ts';
import { rename } from './rename.ts';
import { replace } from './replace.ts';
import { search } from './search.ts';
import { select } from './select.ts';
import { setAcl } from './setacl.ts';
import { setMetadata } from './setmetadata.ts';
import { setQuota } from './setquota.ts';
import { sort } from './sort.ts';
import { starttls } from './starttls.ts';
import { status } from './status.ts';
import { store } from './store.ts';
import { subscribe } from './subscribe.ts';
import { thread } from './thread.ts';
import { unauthenticate } from './unauthenticate.ts';

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
  ['COMPRESS', compress], // RFC 4978
  ['UNAUTHENTICATE', unauthenticate], // RFC 8437
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
  ['GETQUOTA', getQuota], // RFC 9208
  ['GETQUOTAROOT', getQuotaRoot], // RFC 9208
  ['SETQUOTA', setQuota], // RFC 9208
  ['NOTIFY', notify], // RFC 5465
  ['ESEARCH', esearch], // RFC 7377
  ['GETMETADATA', getMetadata], // RFC 5464
  ['SETMETADATA', setMetadata],
  // RFC 4314 §3
  ['SETACL', setAcl],
  ['DELETEACL', setAcl],
  ['GETACL', getAcl],
  ['LISTRIGHTS', listRights],
  ['MYRIGHTS', myRights],
  // §6.4 selected
  ['CHECK', check], // RFC 3501 §6.4.1
  ['CLOSE', close],
  ['UNSELECT', unselect],
  ['EXPUNGE', expunge],
  ['SEARCH', search],
  ['SORT', sort], // RFC 5256
  ['THREAD', thread], // RFC 5256
  ['CANCELUPDATE', cancelUpdate], // RFC 5267
  ['FETCH', fetch],
  ['STORE', store],
  ['COPY', copy],
  ['MOVE', move],
  ['REPLACE', replace], // RFC 8508
  // §6.4.9
  ['UID COPY', copy],
  ['UID MOVE', move],
  ['UID REPLACE', replace],
  ['UID FETCH', fetch],
  ['UID STORE', store],
  ['UID SEARCH', search],
  ['UID SORT', sort],
  ['UID THREAD', thread],
  ['UID EXPUNGE', expunge],
]);
