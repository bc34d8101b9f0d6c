/**
 * Load on an SMTP server: sessions over raw sockets that do nothing but speak the protocol, so that this program costs
 * less than what it measures. Runs as a process of its own: reads its task as JSON from the command line, prints the
 * outcome as JSON.
 */
import { connect } from 'node:net';

export interface SmtpTask {
  readonly port: number;
  readonly sessions: number;
  /** All sessions together. */
  readonly messages: number;
  /** Octets of one message, header included. */
  readonly octets: number;
  /** One message a connection, as test suites send, instead of many. */
  readonly reconnect: boolean;
  readonly recipient: string;
}

export interface SmtpOutcome {
  /** Messages that got their 250. */
  readonly acknowledged: number;
  /** Seconds from the first connection to the last reply. */
  readonly seconds: number;
  readonly errors: readonly string[];
}

/** A message of so many octets; lines of 76 characters that differ, so that nothing compresses or deduplicates it. */
export function makeMessage(octets: number, number: number): Buffer {
  const head = `From: Load <load@bench.test>\r\nTo: Reader <reader@bench.test>\r\nSubject: Message ${number}\r\nMessage-ID: <${number}@bench.test>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`;
  const lines = [head];
  let length = head.length;
  for (let line = 0; length < octets; line++) {
    const text = `${line} ${(number * 7919 + line * 104_729).toString(36)} the quick brown fox jumps over the lazy dog again`;
    const whole = `${text.slice(0, Math.max(1, Math.min(76, octets - length - 2)))}\r\n`;
    lines.push(whole);
    length += whole.length;
  }
  return Buffer.from(lines.join(''), 'latin1');
}

/** One connection: sends messages while `take` gives numbers. Resolves when the connection has ended. */
function session(
  task: SmtpTask,
  body: Buffer,
  take: () => boolean,
  acknowledged: () => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port: task.port, host: '127.0.0.1', noDelay: true });
    let state: 'greeting' | 'ehlo' | 'mail' | 'rcpt' | 'data' | 'end' | 'quit' = 'greeting';
    let failure: string | undefined;
    const begin = () => {
      if (take()) {
        state = 'mail';
        socket.write('MAIL FROM:<load@bench.test>\r\n');
      } else {
        state = 'quit';
        socket.write('QUIT\r\n');
      }
    };
    const replied = (code: string) => {
      const wanted = state === 'greeting' ? '220' : state === 'data' ? '354' : state === 'quit' ? '221' : '250';
      if (code !== wanted) {
        failure = `${code} in state ${state}`;
        socket.destroy();
        return;
      }
      switch (state) {
        case 'greeting':
          state = 'ehlo';
          socket.write('EHLO load.bench.test\r\n');
          return;
        case 'ehlo':
          begin();
          return;
        case 'mail':
          state = 'rcpt';
          socket.write(`RCPT TO:<${task.recipient}>\r\n`);
          return;
        case 'rcpt':
          state = 'data';
          socket.write('DATA\r\n');
          return;
        case 'data':
          state = 'end';
          socket.write(body);
          return;
        case 'end':
          acknowledged();
          if (!task.reconnect) begin();
          else {
            state = 'quit';
            socket.write('QUIT\r\n');
          }
          return;
        case 'quit':
          socket.end();
      }
    };
    let pending = '';
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 1);
        if (line[3] !== '-') replied(line.slice(0, 3));
      }
    });
    socket.setTimeout(60_000, () => {
      failure = `silence in state ${state}`;
      socket.destroy();
    });
    socket.on('error', (error) => (failure ??= error.message));
    socket.on('close', () => resolve(failure));
  });
}

export async function run(task: SmtpTask): Promise<SmtpOutcome> {
  const body = Buffer.concat([makeMessage(task.octets, 1), Buffer.from('.\r\n')]);
  let left = task.messages;
  let acknowledged = 0;
  const errors: string[] = [];
  const take = () => left-- > 0;
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: task.sessions }, async () => {
      do {
        const failure = await session(task, body, take, () => acknowledged++);
        if (failure !== undefined) errors.push(failure);
      } while (task.reconnect && left > 0 && errors.length < 100);
    }),
  );
  return { acknowledged, seconds: (performance.now() - begin) / 1000, errors: [...new Set(errors)] };
}

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2]!) as SmtpTask)));
}
