/** Octets of the store as answers. */
import type { Content } from '../store/mail-store.ts';

/** All of a message, or its octets from `start` on, streamed as slowly as the client takes them. */
export function contentResponse(
  content: Content,
  type: string,
  options: { readonly start?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const { start = 0, headers = {} } = options;
  const length = content.size - start;
  const body =
    content.octets === undefined ? streamOf(content.read(start, content.size)) : bodyOf(content.octets.subarray(start));
  return new Response(body, {
    headers: {
      'Content-Type': type,
      'Content-Length': String(length),
      'Cache-Control': 'no-store',
      // Whatever a message claims to be, a browser shows it as nothing but what is said here, and runs none of it.
      'Content-Security-Policy': 'sandbox',
      ...headers,
    },
  });
}

/** A Response takes octets that no other thread can change. */
export function bodyOf(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  return octets.buffer instanceof ArrayBuffer ? (octets as Uint8Array<ArrayBuffer>) : Uint8Array.from(octets);
}

/** Octets as a body, made as slowly as the client takes them. */
export function streamOf(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      // The client has left: what the store holds open for this is given back.
      async cancel() {
        await iterator.return?.();
      },
    },
    // Nothing is read before somebody asks: HEAD never does.
    { highWaterMark: 0 },
  );
}

export async function wholeContent(content: Content): Promise<Uint8Array> {
  if (content.octets !== undefined) return content.octets;
  const pieces: Uint8Array[] = [];
  for await (const piece of content.read(0, content.size)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/**
 * Content-Disposition for a name that may hold anything: RFC 6266 §4.3, RFC 8187 §3.2. Paths are cut off, and control
 * characters and bidirectional overrides, which make a program look like a picture.
 */
export function contentDisposition(kind: 'attachment' | 'inline', fileName: string): string {
  const name = safeFileName(fileName);
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"${ascii === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}

export function safeFileName(fileName: string): string {
  const name = fileName
    .toWellFormed()
    .replace(/^.*[/\\]/s, '')
    .replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .trim()
    .replace(/^\.+/, '')
    .slice(0, 200);
  return name === '' ? 'part' : name;
}
