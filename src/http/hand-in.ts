/** Hands messages in to our own ports for mail, as a program of its user would: by SMTP, over TCP. */
import type { NodemailerError } from 'nodemailer';
import type { HttpParts } from './parts.ts';
import { HttpProblem } from './problem.ts';
import { type OwnService, connectTo, conversationOf, ownService, ownTls } from './own-service.ts';
import type { HandedIn } from './schemas/compose.ts';

export interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Uint8Array;
  /** Whose login hands it in; undefined: the SMTP port, where none is needed. */
  readonly login: string | undefined;
}

/**
 * Resolves when the server has answered 250.
 * @throws HttpProblem 422, 503: the server's own reply; 502: it could not be asked; 503: the port is off
 */
export async function handIn(parts: HttpParts, { from, to, raw, login }: Letter): Promise<HandedIn> {
  const service = ownService(parts, login === undefined ? ['smtp'] : ['submission', 'submissions']);
  using errand = login === undefined ? undefined : parts.errands?.begin(login, 'smtp');
  if (login !== undefined && !errand) throw new HttpProblem(503, 'the server is busy with others: try again');
  const { createTransport } = await import('nodemailer');
  // The connection is ours from its first octet, TLS included, so that its port tells which conversation it is.
  const socket = await connectTo(parts, { ...service, tls: 'none' });
  const { localPort } = socket;
  const transport = createTransport({
    connection: socket,
    host: service.host,
    port: service.port,
    name: 'localhost',
    secure: service.tls === 'implicit',
    requireTLS: service.name === 'submission',
    ignoreTLS: service.name === 'smtp',
    tls: ownTls(parts),
    ...(errand && { auth: { type: 'OAuth2' as const, user: errand.login, accessToken: errand.token.reveal() } }),
  });
  try {
    const info = await transport.sendMail({ envelope: { from, to: [...to] }, raw: Buffer.from(raw) });
    return {
      transactionId: /queued as ([0-9A-Za-z]{22})\b/.exec(info.response)?.[1] ?? null,
      conversation: conversationOf(parts, service, localPort),
      service: service.name,
      reply: info.response,
      refused: (info.rejectedErrors ?? []).map((error) => ({
        address: error.recipient ?? '',
        reply: error.response ?? error.message,
      })),
    };
  } catch (error) {
    throw refusalOf(error as NodemailerError, parts, service, localPort);
  } finally {
    transport.close();
    socket.destroy();
  }
}

function refusalOf(
  error: NodemailerError,
  parts: HttpParts,
  service: OwnService,
  localPort: number | undefined,
): Error {
  // What has no code is no answer of a server, but a fault of ours.
  if (error.code === undefined) return error;
  const { responseCode, response, command, message } = error;
  const status = responseCode === undefined ? 502 : responseCode >= 500 ? 422 : 503;
  return new HttpProblem(status, response === undefined ? message : `the server refused: ${response}`, {
    members: {
      reply: response ?? null,
      command: command ?? null,
      conversation: conversationOf(parts, service, localPort),
    },
  });
}
