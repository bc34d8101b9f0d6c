/** The grammar of what a conversation speaks. A client that mistook a mail port for a web server's is read as what it speaks. */
import type { Side } from '../spoken.ts';
import { type Frames, type Grammar, type Label, type Line, UNKNOWN } from './grammar.ts';
import { HttpGrammar, isRequestLine } from './http.ts';
import { ImapGrammar } from './imap.ts';
import { Pop3Grammar } from './pop3.ts';
import { SmtpGrammar } from './smtp.ts';

export function grammarOf(protocol: string): Grammar {
  switch (protocol) {
    case 'imap':
      return new MailGrammar(new ImapGrammar());
    case 'pop3':
      return new MailGrammar(new Pop3Grammar());
    case 'smtp':
    case 'lmtp':
      return new MailGrammar(new SmtpGrammar(protocol === 'lmtp'));
    case 'http':
      return new HttpGrammar();
    default:
      return new LineGrammar();
  }
}

/** A mail protocol, until a browser speaks. */
class MailGrammar implements Grammar {
  readonly #mail: Grammar;
  #http: HttpGrammar | undefined;
  #started = false;

  constructor(mail: Grammar) {
    this.#mail = mail;
  }

  line(side: Side, line: Line, frames: Frames): Label {
    if (side === 'client' && !this.#started) {
      this.#started = true;
      if (isRequestLine(line.text)) this.#http = new HttpGrammar();
    }
    const http = this.#http;
    if (http === undefined) return this.#mail.line(side, line, frames);
    if (side === 'client') return http.line(side, line, frames);
    // The server may have greeted in its own protocol, or answer in it.
    const label = http.line(side, line, frames);
    return label.role === 'unknown' ? this.#mail.line(side, line, frames) : label;
  }

  complete(side: Side, frames: Frames): void {
    if (this.#http === undefined) this.#mail.complete?.(side, frames);
    else this.#http.complete(side);
  }

  plausible(side: Side, text: string): boolean {
    return (this.#http ?? this.#mail).plausible(side, text);
  }

  gap(side: Side, frames: Frames): void {
    if (side === 'client') this.#started = true;
    if (this.#http === undefined) this.#mail.gap?.(side, frames);
    else this.#http.gap(side);
  }

  uncertain(side: Side): void {
    this.#mail.uncertain?.(side);
  }

  secured(frames: Frames): void {
    this.#started = false;
    this.#http = undefined;
    this.#mail.secured?.(frames);
  }

  undecided(frames: Frames): void {
    if (this.#http === undefined) this.#mail.undecided?.(frames);
  }
}

/** A protocol of lines of which nothing else is known. */
class LineGrammar implements Grammar {
  #greeted = false;

  line(side: Side, { text }: Line): Label {
    const name = /^[A-Za-z0-9]{1,20}/.exec(text)?.[0].toUpperCase() ?? '';
    if (name === '') return UNKNOWN;
    if (side === 'client') return { role: 'command', name };
    const role = this.#greeted ? 'reply' : 'greeting';
    this.#greeted = true;
    return { role, name };
  }

  plausible(): boolean {
    return true;
  }
}
