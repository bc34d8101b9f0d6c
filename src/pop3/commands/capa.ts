/**
 * CAPA: RFC 2449 §5.
 * One line per capability. All but STLS are announced in both states, valid there or not (§5).
 *
 * APOP is left out on purpose (see apop.ts): it has no capability of its own (§6), for clients know it by a timestamp in
 * the greeting, which is not there.
 */
import { command } from '../command.ts';
import { ok } from '../grammar/responses.ts';
import { offeredMechanisms } from './auth.ts';

export const capa = command({
  states: ['authorization', 'transaction'],
  parse: () => undefined,
  run(_, context) {
    const lines = ['TOP', 'UIDL'];
    // RFC 2449 §6.2. Not while a password would pass in clear that we would refuse.
    if (context.plaintextPermitted) lines.push('USER');
    // RFC 5034 §3. The list is shorter in clear than under TLS, so clients are to ask again then (RFC 2595 §4).
    const mechanisms = offeredMechanisms(context);
    if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`);
    lines.push('PIPELINING'); // RFC 2449 §6.6: commands wait in the connection and are run one after another
    lines.push('RESP-CODES', 'AUTH-RESP-CODE'); // RFC 2449 §6.4, RFC 3206 §6
    // RFC 2595 §4: "permitted in the current state".
    if (context.state.name === 'authorization' && !context.secure) lines.push('STLS');
    lines.push('UTF8 USER', 'LANG'); // RFC 6856 §2, §3
    // RFC 2449 §6.5: the same for all, so there is no USER behind it.
    if (context.loginDelaySeconds !== undefined) lines.push(`LOGIN-DELAY ${context.loginDelaySeconds}`);
    // RFC 2449 §6.7: this server deletes nothing but what clients delete; what the operator has deleted is his to say.
    lines.push(`EXPIRE ${context.expireDays ?? 'NEVER'}`);
    lines.push(`IMPLEMENTATION glassmail-${context.version}`);
    return ok('Capabilities follow', { lines: context.announce(lines) });
  },
});
