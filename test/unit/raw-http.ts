/** HTTP requests with the Host field as a test wants it, which libraries would set right. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Answered {
  readonly status: number;
  /** The media type, with its parameters. */
  readonly type: string | undefined;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly octets: Buffer;
  readonly text: string;
}

export async function askRaw(
  port: number,
  method: string,
  path: string,
  { host, body = '', token }: { readonly host: string; readonly body?: string; readonly token?: string },
): Promise<Answered> {
  const socket = connect(port, '127.0.0.1');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Content-Type: application/json',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await once(socket, 'close');
  const answer = Buffer.concat(pieces);
  const end = answer.indexOf('\r\n\r\n');
  const [first = '', ...fields] = answer.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const octets = answer.subarray(end + 4);
  const status = Number(first.split(' ')[1]);
  return { status, type: headers['content-type'], headers, octets, text: octets.toString() };
}
