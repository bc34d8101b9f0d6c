/** What `glassmail check` has found: a table that grows line by line, with what to do about each failure. */
import type { Io } from './command.ts';

interface Failure {
  readonly message: string;
  readonly cure: string;
}

export class CheckList {
  readonly #io: Io;
  #passed = 0;
  #failed = 0;
  #off = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /**
   * @param address `host:port`; undefined: the service is off
   * @returns what the step returns; undefined if it failed or was left out
   */
  async step<T>(who: string, address: string | undefined, what: string, run: () => Promise<T>): Promise<T | undefined> {
    if (address === undefined) {
      this.#off++;
      this.#line('off', '', who, '', what);
      return undefined;
    }
    const startedAt = performance.now();
    try {
      const result = await run();
      this.#passed++;
      this.#line('ok', `${Math.round(performance.now() - startedAt)} ms`, who, address, what);
      return result;
    } catch (error) {
      this.#failed++;
      const { message, cure } = explain(error, address);
      this.#line('FAILED', '', who, address, what);
      this.#io.stdout.write(`        ${message}\n        ${cure}\n`);
      return undefined;
    }
  }

  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  /** What the server has to say of it. */
  add(diagnoses: readonly string[]): void {
    if (diagnoses.length === 0) return;
    this.#io.stdout.write(`The server has seen:\n${diagnoses.map((line) => `        ${line}\n`).join('')}`);
  }

  /** @returns the exit code */
  conclude(): number {
    const off = this.#off === 0 ? '' : `, ${this.#off} left out`;
    if (this.#failed === 0 && this.#passed > 0) {
      this.#io.stdout.write(`All is well: ${this.#passed} of ${this.#passed}${off}\n`);
      return 0;
    }
    this.#io.stdout.write(`${this.#failed} failed, ${this.#passed} went well${off}\n`);
    return 1;
  }

  #line(mark: string, time: string, who: string, address: string, what: string): void {
    this.#io.stdout.write(`${mark.padEnd(6)} ${time.padStart(8)}  ${who.padEnd(24)} ${address.padEnd(20)} ${what}\n`);
  }
}

/** What an error of a client means for its user. */
function explain(error: unknown, address: string): Failure {
  const { message, code, response, responseText, authenticationFailed } = error as Error & {
    code?: string;
    response?: unknown;
    responseText?: string;
    authenticationFailed?: boolean;
  };
  const said = typeof response === 'string' ? response : responseText;
  const { code: causeCode = '' } = ((error as Error).cause ?? {}) as { code?: string };
  const text = `${message} ${code ?? ''} ${causeCode} ${said ?? ''}`;
  const line = said === undefined || message.includes(said) ? message : `${message}: ${said}`;
  if (text.includes('ECONNREFUSED')) {
    return {
      message: `nothing listens on ${address}`,
      cure: 'Is the server running? glassmail start; or give the port, or off, with a flag such as --imaps-port',
    };
  }
  if (/ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(text)) {
    return { message: line, cure: 'This computer cannot find or reach the host: check --host and the network' };
  }
  if (/certificate|self.signed|issuer|altnames|EPROTO|UNABLE_TO/i.test(text)) {
    return {
      message: line,
      cure: 'The certificate is not trusted: --ca FILE names the authority’s (the start prints where it lies), --host a name in the certificate',
    };
  }
  if (authenticationFailed === true || /AUTHENTICATIONFAILED|EAUTH|\b535\b|password is wrong/i.test(text)) {
    return {
      message: line,
      cure: 'The login was refused: check --user and --password (glassmail accounts passwd NAME)',
    };
  }
  if (/timed? ?out|ETIMEDOUT|silent/i.test(text)) {
    return { message: line, cure: 'No answer in time: is another program on this port, or a firewall between?' };
  }
  return { message: line, cure: 'The conversation of this moment in the web pages shows what each side said' };
}
