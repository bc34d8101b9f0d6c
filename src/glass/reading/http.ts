/**
 * How HTTP's octets are cut (RFC 9112 §2.1, §6, §7.1): the lines of a head, then the body, whose length the head tells.
 * What follows a change of protocol (§7.8 of RFC 9110) is one unit.
 */
import type { Side } from '../spoken.ts';
import { type Frames, type Grammar, type Label, type Line, UNKNOWN } from './grammar.ts';

const REQUEST = /^([A-Za-z]{1,20}) (\S+) HTTP\/\d\.\d$/;
const STATUS = /^HTTP\/\d(?:\.\d)? (\d{3})(?: |$)/;

interface Head {
  /** The method, or the status. */
  readonly name: string;
  length: number | undefined;
  chunked: boolean;
  upgrade: boolean;
  /** Of a response: it has no body whatever its fields say (RFC 9112 §6.3). */
  readonly bodiless: boolean;
}

type Place =
  | { readonly name: 'start' }
  | { readonly name: 'fields'; readonly head: Head }
  | { readonly name: 'chunk-size' }
  /** The line end behind a chunk. */
  | { readonly name: 'chunk-end' }
  | { readonly name: 'trailers' };

const START: Place = { name: 'start' };

export class HttpGrammar implements Grammar {
  readonly #places: Record<Side, Place> = { client: START, server: START };
  /** Requests that wait for their response. */
  #requests: { readonly position: number; readonly method: string }[] = [];

  line(side: Side, line: Line, frames: Frames): Label {
    const place = this.#places[side];
    switch (place.name) {
      case 'start':
        return side === 'client' ? this.#requestLine(line) : this.#statusLine(line);
      case 'fields':
        return this.#field(side, place.head, line.text, frames);
      case 'chunk-size':
        return this.#chunkSize(side, line.text, frames);
      case 'chunk-end':
        this.#places[side] = { name: 'chunk-size' };
        return { role: 'continuation', name: '', about: { item: 'chunk-end' } };
      case 'trailers':
        if (line.text === '') this.#places[side] = START;
        return { role: 'continuation', name: fieldName(line.text), about: { item: 'trailer' } };
    }
  }

  complete(side: Side): void {
    if (this.#places[side].name !== 'chunk-end') this.#places[side] = START;
  }

  plausible(side: Side, text: string): boolean {
    return (side === 'client' ? REQUEST : STATUS).test(text);
  }

  gap(side: Side): void {
    this.#places[side] = START;
    this.#requests = [];
  }

  secured(): void {
    this.#places.client = this.#places.server = START;
    this.#requests = [];
  }

  #requestLine({ text, position }: Line): Label {
    // RFC 9112 §2.2: an empty line before a request is passed over.
    if (text === '') return { role: 'continuation', name: '', about: { item: 'empty' } };
    const method = REQUEST.exec(text)?.[1];
    if (method === undefined) return UNKNOWN;
    const name = method.toUpperCase();
    this.#requests.push({ position, method: name });
    const bodiless = false;
    this.#places.client = {
      name: 'fields',
      head: { name, length: undefined, chunked: false, upgrade: false, bodiless },
    };
    return { role: 'command', name };
  }

  #statusLine({ text }: Line): Label {
    const status = STATUS.exec(text)?.[1];
    if (status === undefined) return UNKNOWN;
    const request = this.#requests[0];
    // 1xx: another response follows (RFC 9110 §15.2), except behind a change of protocol.
    if (!status.startsWith('1') || status === '101') this.#requests.shift();
    const bodiless = /^(?:1|204|304)/.test(status) || request?.method === 'HEAD';
    const upgrade = status === '101' || (request?.method === 'CONNECT' && status.startsWith('2'));
    this.#places.server = {
      name: 'fields',
      head: { name: status, length: undefined, chunked: false, upgrade, bodiless },
    };
    return { role: 'reply', name: status, answers: request?.position ?? null, about: { of: request?.method ?? '' } };
  }

  #field(side: Side, head: Head, text: string, frames: Frames): Label {
    const name = fieldName(text);
    if (text === '') {
      this.#body(side, head, frames);
      return { role: 'continuation', name: '', about: { of: head.name, item: 'end' } };
    }
    if (name === 'content-length') head.length = Number(/^\d{1,15}$/.exec(text.slice(15).trim())?.[0] ?? 0);
    else if (name === 'transfer-encoding' && /chunked\s*$/i.test(text)) head.chunked = true;
    return { role: 'continuation', name, about: { of: head.name, item: 'field' } };
  }

  #body(side: Side, head: Head, frames: Frames): void {
    const label: Label = { role: 'data', name: '', about: { of: head.name, item: 'body' } };
    this.#places[side] = START;
    if (head.upgrade) {
      const other: Label = { role: 'data', name: '', about: { of: head.name, item: 'upgraded' } };
      frames.expect('client', { type: 'rest', label: other });
      frames.expect('server', { type: 'rest', label: other });
    } else if (head.bodiless) return;
    else if (head.chunked) this.#places[side] = { name: 'chunk-size' };
    else if (head.length !== undefined) {
      if (head.length > 0) frames.expect(side, { type: 'octets', left: head.length, label });
    } else if (side === 'server') frames.expect(side, { type: 'rest', label });
  }

  #chunkSize(side: Side, text: string, frames: Frames): Label {
    const size = /^[0-9a-f]{1,12}/i.exec(text)?.[0];
    const label: Label = { role: 'continuation', name: '', about: { item: 'chunk-size' } };
    if (size === undefined) {
      this.#places[side] = START;
      return UNKNOWN;
    }
    const left = Number.parseInt(size, 16);
    if (left === 0) this.#places[side] = { name: 'trailers' };
    else {
      this.#places[side] = { name: 'chunk-end' };
      frames.expect(side, { type: 'octets', left, label: { role: 'data', name: '', about: { item: 'chunk' } } });
    }
    return label;
  }
}

/** Whether a line is a request of HTTP, on a port of another protocol. */
export function isRequestLine(text: string): boolean {
  return REQUEST.test(text);
}

function fieldName(text: string): string {
  return /^([!#$%&'*+.^_`|~0-9a-z-]{1,100}):/i.exec(text)?.[1]?.toLowerCase() ?? '';
}
