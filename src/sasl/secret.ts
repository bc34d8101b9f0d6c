/**
 * A password or token on its way through the program. It shows itself to nobody but the one who asks for it by name:
 * not in a log line, a JSON answer or a debugger's dump.
 */
import { inspect } from 'node:util';

const VEIL = '•••';

export class Secret {
  readonly #value: string;

  /**
   * @param value octets are taken as UTF-8
   * @throws TypeError when octets are not UTF-8
   */
  constructor(value: string | Uint8Array) {
    this.#value =
      typeof value === 'string' ? value : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return VEIL;
  }

  toJSON(): string {
    return VEIL;
  }

  [inspect.custom](): string {
    return VEIL;
  }
}
