/**
 * URLs of messages and their parts, as CATENATE takes them (RFC 4469 §3; RFC 5092 §11; URL-PARTIAL RFC 5550):
 * `/Drafts;UIDVALIDITY=5/;UID=20/;SECTION=1.MIME/;PARTIAL=0.1024`. Without a mailbox they are about the selected one.
 */
import type { Uid } from '../store/change.ts';
import type { Mailbox } from '../store/mail-store.ts';
import { ALL_RIGHTS, hasRight } from '../store/rights.ts';
import type { Context } from './command.ts';
import { storeAnswer, wantedFor } from './fetch-items.ts';
import { BadSyntax } from './grammar/bad-syntax.ts';
import { normaliseMailboxName } from './grammar/mailbox-name.ts';
import { Parser } from './grammar/parser.ts';
import type { FetchAttribute, Partial, Section } from './grammar/syntax.ts';

type UrlContext = Pick<Context<'authenticated' | 'selected'>, 'state' | 'store'>;

export interface MessageUrl {
  /** Undefined: the selected one. */
  readonly mailbox: string | undefined;
  readonly uidValidity: number | undefined;
  readonly uid: Uid;
  readonly section: Section;
  readonly partial: Partial | undefined;
}

/** RFC 4469 §4.1: NO, with the first URL that cannot be had. */
export class BadUrl extends Error {
  override readonly name = 'BadUrl';
  readonly code: string;

  constructor(url: string, reason: string) {
    super(reason);
    // A bracket would end the response code.
    this.code = `BADURL ${url.replaceAll(']', '%5D')}`;
  }
}

// No URL says `;URLAUTH=` here: those are for other servers.
const SHAPE =
  /^\/?(?<mailbox>[^;]*?)(?:;UIDVALIDITY=(?<validity>[1-9][0-9]{0,9}))?\/?;UID=(?<uid>[1-9][0-9]{0,9})(?:\/;SECTION=(?<section>[^;]+?))?(?:\/;PARTIAL=(?<offset>[0-9]{1,15})(?:\.(?<count>[1-9][0-9]{0,14}))?)?$/i;

/** Undefined: it names no message of this server. */
function parseMessageUrl(url: string): MessageUrl | undefined {
  const { mailbox, validity, uid, section = '', offset, count } = SHAPE.exec(url)?.groups ?? {};
  if (uid === undefined || mailbox === undefined) return undefined;
  // An absolute URL is of another session, if not of another server.
  if (/^[a-z][a-z0-9+.-]*:/i.test(url) || url.startsWith('//')) return undefined;
  try {
    const name = decodeURIComponent(mailbox).replace(/\/$/, '');
    const spec = decodeURIComponent(section);
    return {
      mailbox: name === '' ? undefined : normaliseMailboxName(name),
      uidValidity: validity === undefined ? undefined : Number(validity),
      uid: Number(uid) as Uid,
      section: readSection(spec),
      partial:
        offset === undefined ? undefined : { offset: Number(offset), count: Number(count ?? Number.MAX_SAFE_INTEGER) },
    };
  } catch (error) {
    if (error instanceof URIError || error instanceof BadSyntax) return undefined;
    throw error;
  }
}

/** The octets that a URL names, as FETCH BODY.PEEK[] would give them (RFC 4469 §3). @throws BadUrl */
export async function* partOctets(text: string, { state, store }: UrlContext): AsyncGenerator<Uint8Array> {
  const url = parseMessageUrl(text);
  if (!url) throw new BadUrl(text, 'The URL names no message here: /mailbox/;UID=1/;SECTION=1.2 does');
  const mailbox = await mailboxOf(url, { state, store });
  if (!mailbox || !hasRight(mailbox.rights ?? ALL_RIGHTS, 'r')) throw new BadUrl(text, 'There is no such mailbox');
  if (url.uidValidity !== undefined && url.uidValidity !== mailbox.uidValidity) {
    throw new BadUrl(text, `The UIDVALIDITY of ${mailbox.name} is ${mailbox.uidValidity}`);
  }
  const { section, partial } = url;
  const attribute: FetchAttribute = { name: 'BODY[]', peek: true, section, ...(partial ? { partial } : {}) };
  for await (const batch of store.fetchMessages(state.account, mailbox.id, [url.uid], wantedFor([attribute]))) {
    for (const message of batch) {
      const item = await storeAnswer(attribute)(message);
      if (item?.type === 'stream') yield* item.octets;
      else if (item?.type === 'octets' && item.octets) yield item.octets;
      else throw new BadUrl(text, 'The message has no such part');
      return;
    }
  }
  throw new BadUrl(text, `There is no message with UID ${url.uid} in ${mailbox.name}`);
}

async function mailboxOf({ mailbox }: MessageUrl, { state, store }: UrlContext): Promise<Mailbox | undefined> {
  if (mailbox !== undefined) return store.findMailbox(state.account, mailbox);
  return state.name === 'selected' ? store.findMailbox(state.account, state.view.id) : undefined;
}

/** @throws BadSyntax */
function readSection(text: string): Section {
  const input = new Parser(Buffer.from(`[${text}]`));
  const section = input.section();
  input.end();
  return section;
}
