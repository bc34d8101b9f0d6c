/**
 * A message on its way in, by DATA or by BDAT. The octets go to a spool while they come; 250 is said once they are stored,
 * for all recipients, or by LMTP for all who have room.
 */
import type { IncomingMail } from '../delivery/deliver.ts';
import { copiesTold } from '../delivery/copies-told.ts';
import { isTestAccount } from '../delivery/test-accounts.ts';
import type { Plan } from '../faults/session-faults.ts';
import type { Accepted, Spool, Spooled } from '../store/mail-store.ts';
import { queued, replyFor, tooLarge, type Reply } from './replies.ts';
import type { MailTransaction, SmtpSession } from './session.ts';

/** What came over the limit is thrown away up to so many times the limit; then the connection ends. */
const PATIENCE = 4;

/** How many octets of one message, or of one chunk, are listened to at all. No client is listened to for ever. */
export function patience(maximumMessageOctets: number): number {
  return PATIENCE * maximumMessageOctets;
}

/** The protocol's name in `Received` (RFC 3848), before TLS, a login and SMTPUTF8 change it. */
const PROTOCOLS = { HELO: 'SMTP', EHLO: 'ESMTP', LHLO: 'LMTP' } as const;

export class IncomingMessage {
  readonly #session: SmtpSession;
  readonly #transaction: MailTransaction;
  readonly #spool: Spool;
  readonly #number: number;
  /** The number of the newest event of the conversation when it began. */
  readonly #seq: number;
  #octets = 0;
  #writing: Promise<void> | undefined;
  #failed: { readonly error: unknown } | undefined;
  /** `ending`: it was handed over whole, and is delivered even if the client is gone by then. */
  #state: 'open' | 'ending' | 'aborted' = 'open';

  constructor(session: SmtpSession, transaction: MailTransaction) {
    this.#session = session;
    this.#transaction = transaction;
    this.#spool = session.options.store.spool();
    this.#number = ++session.messages;
    this.#seq = session.connection.conversation.lastSeq;
  }

  /** @returns what is to be awaited before more may come. Failures are told by `check` and `end`. */
  write(octets: Buffer): Promise<void> | undefined {
    this.#octets += octets.length;
    if (this.#failed || this.#state !== 'open') return undefined;
    if (this.#octets > this.#session.options.maximumMessageOctets) return this.#fail(undefined);
    this.#writing = this.#spool.write(octets).catch((error: unknown) => this.#fail(error));
    return this.#writing;
  }

  get exhaustsPatience(): boolean {
    return this.#octets > patience(this.#session.options.maximumMessageOctets);
  }

  /** What has to be said of what has come so far; undefined: nothing is wrong. @throws what the spool failed with */
  check(): Reply | undefined {
    const { maximumMessageOctets } = this.#session.options;
    if (this.#octets > maximumMessageOctets) return tooLarge(maximumMessageOctets); // RFC 1870 §6.3
    if (this.#failed) throw this.#failed.error;
    return undefined;
  }

  /** After the last octet: stores the message. @param fault changes who gets it, and how often @throws Refusal, and whatever the spool failed with */
  async end(fault?: Pick<Plan, 'copies' | 'refused'>): Promise<Reply> {
    const { connection, login } = this.#session;
    const wrong = this.check();
    if (wrong) return wrong;
    this.#state = 'ending';
    try {
      const content = await this.#spool.finish();
      const accepted = await this.#deliver(this.#mail(content, fault));
      const { transactionId } = accepted;
      connection.annotate({
        type: 'stored',
        emailId: String(accepted.emailId),
        transactionId,
        octets: content.size,
        ...copiesTold(accepted),
        envelopeSeq: this.#transaction.seq,
        dataSeq: this.#seq,
      });
      return queued(transactionId, isTestAccount(login));
    } catch (error) {
      await this.#spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** LMTP knows an answer for each recipient (RFC 2033 §4.2), SMTP one for all of them. @throws Refusal */
  async #deliver(mail: IncomingMail): Promise<Accepted> {
    const { delivery, service } = this.#session.options;
    if (service !== 'lmtp') return delivery.deliver(mail);
    const { accepted, refused } = await delivery.deliverToEach(mail);
    for (const [{ address }, refusal] of refused) {
      this.#transaction.refused.set(address.toLowerCase(), replyFor(refusal)!);
    }
    if (accepted) return accepted;
    throw [...refused.values()][0]!;
  }

  /** The client is gone in the middle of it, or wants it no more: nothing is kept. */
  abort(): void {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    const { options, connection } = this.#session;
    this.#dispose().catch((error: unknown) => options.log('error', `${connection.id}: a spool stays`, error));
  }

  async #dispose(): Promise<void> {
    await this.#writing;
    if (!this.#failed) await this.#spool[Symbol.asyncDispose]();
  }

  async #fail(error: unknown): Promise<void> {
    this.#failed ??= { error };
    await this.#spool[Symbol.asyncDispose]();
  }

  #mail(content: Spooled, fault: Pick<Plan, 'copies' | 'refused'> | undefined): IncomingMail {
    const { connection, greeted, login } = this.#session;
    const { reversePath, parameters, recipients } = this.#transaction;
    const { tls } = connection;
    return {
      reversePath,
      // RFC 8689 §5: nobody is sent back what was to be kept secret.
      returnType: parameters.requireTls ? 'HDRS' : parameters.returnType,
      envelopeId: parameters.envelopeId,
      recipients: fault ? faultyRecipients([...recipients.values()], fault) : [...recipients.values()],
      content,
      receivedAt: new Date(),
      origin: {
        service: connection.service,
        conversation: connection.id,
        remoteAddress: connection.remote.address,
        helo: greeted?.name,
        login,
        tls: tls && `${tls.version} ${tls.cipher}`,
      },
      received: {
        // The conversation and the message's number in it: the store's own id exists only after the commit.
        id: `${connection.id}.${this.#number}`,
        protocol: PROTOCOLS[greeted?.command ?? 'EHLO'],
        smtpUtf8: parameters.smtpUtf8,
        tls,
      },
    };
  }
}

function faultyRecipients(
  recipients: IncomingMail['recipients'],
  { copies, refused }: Pick<Plan, 'copies' | 'refused'>,
): IncomingMail['recipients'] {
  return recipients
    .filter(({ address }) => !refused.has(address))
    .map((recipient) => ({ ...recipient, copies: copies.get(recipient.address) }));
}
