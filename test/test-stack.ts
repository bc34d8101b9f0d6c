/** The whole server inside a test: free ports on 127.0.0.1, a folder that goes with it, no waiting for the disk. */
import { readConfig, SERVICES, type Service } from '../src/config.ts';
import { startStack, type Stack } from '../src/stack.ts';

export type TestStack = Stack & {
  /** The port of a service. @throws when it is off */
  port(service: Service): number;
  /** What the server logged so far: a test of bad input shows that it is empty. */
  readonly logged: readonly string[];
};

/** @param flags as on the command line; they come after the test's own, so they win */
export async function startTestStack(...flags: readonly string[]): Promise<TestStack> {
  const ports = SERVICES.flatMap((service) => [`--${service}-port`, '0']);
  const logged: string[] = [];
  const config = readConfig(
    ['--data', 'temp', '--durability', 'process', '--host', '127.0.0.1', '--log-level', 'warn', ...ports, ...flags],
    {},
  );
  const stack = await startStack(config, { log: (line) => logged.push(line) });
  return Object.assign(stack, {
    logged,
    port(service: Service): number {
      const [endpoint] = stack.addresses(service);
      if (!endpoint) throw new Error(`${service} is off`);
      return endpoint.port;
    },
  });
}
