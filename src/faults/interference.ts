/** What goes wrong before there is a session: told to the wire, which knows no rules. */
import type { CutManner, CutMoment } from './rule.ts';
import type { FaultRules } from './rules.ts';
import type { FaultyConnection, Plan } from './session-faults.ts';

interface TlsFault {
  readonly delayMs: number;
  readonly expired: boolean;
  readonly cut: { readonly when: CutMoment; readonly how: CutManner } | undefined;
}

interface Interference {
  opened(connection: FaultyConnection): Promise<void> | undefined;
  handshake(connection: FaultyConnection, serverName: string | undefined): TlsFault | undefined;
}

/** For listeners, which look at it for each connection. Undefined while there are no rules. */
export function interferenceBy(rules: FaultRules): () => Interference | undefined {
  const interference: Interference = {
    opened(connection) {
      const faults = rules.of(connection);
      faults.watchOctets();
      const plan = faults.ask({ at: 'connection' });
      if (!plan) return undefined;
      // There is no answer that it could be cut in or after.
      const cut = plan.cut;
      return faults.before({ ...plan, cut: undefined }).then(async () => {
        if (!cut) return;
        await faults.pause(cut.afterMs ?? 0);
        connection.cut(cut.how);
      });
    },
    handshake(connection, serverName) {
      const faults = rules.of(connection);
      const plan = serverName === undefined ? faults.ask({ at: 'tls' }) : faults.askNamed(serverName);
      return plan && tlsFault(plan);
    },
  };
  return () => (rules.size > 0 ? interference : undefined);
}

function tlsFault(plan: Plan): TlsFault {
  const { delayMs, cut } = plan;
  return { delayMs: delayMs + (cut?.afterMs ?? 0), expired: plan.has('expired-certificate'), cut };
}
