/** All the commands, in the order of RFC 1939 §9 and of the extensions. */
import type { AnyCommand } from '../command.ts';
import { apop } from './apop.ts';
import { auth } from './auth.ts';
import { capa } from './capa.ts';
import { dele } from './dele.ts';
import { lang } from './lang.ts';
import { list } from './list.ts';
import { noop } from './noop.ts';
import { pass } from './pass.ts';
import { quit } from './quit.ts';
import { retr } from './retr.ts';
import { rset } from './rset.ts';
import { stat } from './stat.ts';
import { stls } from './stls.ts';
import { top } from './top.ts';
import { uidl } from './uidl.ts';
import { user } from './user.ts';
import { utf8 } from './utf8.ts';

export const COMMANDS: ReadonlyMap<string, AnyCommand> = new Map<string, AnyCommand>([
  // RFC 1939
  ['USER', user],
  ['PASS', pass],
  ['QUIT', quit],
  ['STAT', stat],
  ['LIST', list],
  ['RETR', retr],
  ['DELE', dele],
  ['NOOP', noop],
  ['RSET', rset],
  ['APOP', apop],
  ['TOP', top],
  ['UIDL', uidl],
  // RFC 2449, RFC 2595, RFC 5034
  ['CAPA', capa],
  ['STLS', stls],
  ['AUTH', auth],
  // RFC 6856
  ['UTF8', utf8],
  ['LANG', lang],
]);
