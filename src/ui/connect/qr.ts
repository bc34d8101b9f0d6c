/** The code by which Thunderbird for Android (and K-9) take over an account. */
import type { ConnectSettings } from '../../http/schemas/connect.ts';

const SECURITY = { starttls: 2, tls: 3 } as const;
const PROTOCOL = { imap: 0, pop3: 1, smtp: 0 } as const;
/** An ordinary password. */
const PASSWORD = 1;
const VERSION = 1;

/**
 * One line of ASCII; undefined: the server has not what it takes.
 * `[version, [part, parts], incoming, [[outgoing, [address, name]]]]`
 * @param password undefined: the telephone asks
 */
export function accountCode(
  { account, host, userName, services }: Pick<ConnectSettings, 'account' | 'host' | 'userName' | 'services'>,
  password: string | undefined,
): string | undefined {
  const incoming = services.find(({ protocol }) => protocol !== 'smtp');
  const outgoing = services.find(({ protocol }) => protocol === 'smtp');
  if (!incoming || !outgoing) return undefined;
  const secret = password === undefined ? [] : [password];
  const server = ({ protocol, port, security }: typeof incoming, name: readonly string[]): unknown[] => [
    ...[PROTOCOL[protocol], host, port, SECURITY[security], PASSWORD, userName],
    ...name,
    ...secret,
  ];
  const displayName = `Glassmail (${account.slice(0, account.lastIndexOf('@'))})`;
  const code = [
    VERSION,
    [1, 1],
    server(incoming, [displayName]),
    [[server(outgoing, []), [account, account.slice(0, account.lastIndexOf('@'))]]],
  ];
  return JSON.stringify(code).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
