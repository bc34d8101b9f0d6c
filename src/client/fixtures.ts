/**
 * Fixtures for vitest and Playwright Test, which take the same shape: `const test = base.extend(glassmailFixtures)`, and
 * each test has a scope of its own as `mail`. The server is the one at `GLASSMAIL_URL` (with `GLASSMAIL_API_TOKEN`, if it
 * wants one), or one that is started in the test's process with the first test.
 */
import { connect, type MailClient, type MailScope } from './client.ts';

let server: Promise<MailClient> | undefined;

async function theServer(): Promise<MailClient> {
  const { GLASSMAIL_URL: url, GLASSMAIL_API_TOKEN: token } = process.env;
  if (url !== undefined && url !== '') return connect(url, { token });
  // Loaded when needed: most suites speak to a server in a container.
  return (await import('./start.ts')).startGlassmail();
}

export const glassmailFixtures = {
  // Both want to see which fixtures this one needs: none.
  mail: async ({}: object, use: (mail: MailScope) => Promise<void>): Promise<void> => {
    server ??= theServer();
    await using scope = await (await server).scope();
    await use(scope);
  },
};
