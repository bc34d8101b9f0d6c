/** `glassmail readyz`: whether the server that has this environment is ready, for the health checks of containers. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readConfig } from '../config.ts';
import { type CliCommand, UsageError } from './command.ts';

const ANSWER_MS = 3000;

export const readyz: CliCommand = {
  name: 'readyz',
  summary: 'tells whether the server on this machine is ready, for health checks',
  help: `Usage: glassmail readyz [FLAGS]

Asks the web port of the server on this machine whether it is ready: exit code 0, or 1. It takes the flags and the
variables of glassmail start, those of Mailpit, MailHog, GreenMail and Inbucket too, and looks where they say.

Examples:
  glassmail readyz                       in the container of the server
  glassmail readyz --http-port 9025      of a server that was started with that flag
`,

  async run(args, io) {
    const { ports, hosts } = readConfig(args, io.environment);
    // 0 is a free port, which nobody but its start knows.
    const protocol = ports.http === undefined || ports.http === 0 ? 'https' : 'http';
    const port = ports[protocol];
    if (port === undefined || port === 0)
      throw new UsageError('the web has no port of its own to be asked at: give --http-port', 1);
    const [host = '127.0.0.1'] = hosts;
    const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const status = await statusOf(protocol, here, port);
    if (status === 200) return 0;
    io.stderr.write(`glassmail: ${protocol} port ${port} of ${here}: ${status}\n`);
    return 1;
  },
};

/** Of its answer, or what went wrong. */
function statusOf(protocol: 'http' | 'https', host: string, port: number): Promise<number | string> {
  const options = { host, port, path: '/readyz', timeout: ANSWER_MS };
  return new Promise((resolve) => {
    // Whose certificate it is does not matter to who asks his own machine.
    const request =
      protocol === 'http' ? requestHttp(options) : requestHttps({ ...options, rejectUnauthorized: false });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 'no status');
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS / 1000} seconds`)));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.end();
  });
}
