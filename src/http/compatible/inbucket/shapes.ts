/** Messages in the shapes of Inbucket's API. */
import { createHash } from 'node:crypto';
import { parseHeader } from '../../../mail/headers.ts';
import type { MimePart } from '../../../mail/mime-tree.ts';
import type { AddressPair, TransactionSummary } from '../../../store/mail-store.ts';
import { partOf, servedOctets } from '../../message-parts.ts';
import { headersOf } from '../mailpit/shapes.ts';

export interface InbucketHeader {
  readonly mailbox: string;
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly date: string;
  readonly 'posix-millis': number;
  readonly size: number;
  readonly seen: boolean;
}

export function toHeader(transaction: TransactionSummary, mailbox: string): InbucketHeader {
  const { transactionId, from, to, subject, receivedAt, receivedOctets, traceOctets, read } = transaction;
  return {
    mailbox,
    id: transactionId,
    from: from ? written(from) : '',
    to: to.map(written),
    subject,
    date: receivedAt.toISOString(),
    'posix-millis': receivedAt.getTime(),
    size: receivedOctets + traceOctets,
    seen: read,
  };
}

const written = ({ name, address }: AddressPair): string => `${name === '' ? '' : `${name} `}<${address}>`;

/** @param base of links: scheme and host as the client asked */
export async function toMessage(
  transaction: TransactionSummary,
  mailbox: string,
  octets: Uint8Array,
  tree: MimePart,
  base: string,
): Promise<object> {
  const { preview } = await import('../../../mail/preview.ts');
  const { text, html, parts } = await preview(octets, tree);
  return {
    ...toHeader(transaction, mailbox),
    body: { text, html },
    header: headersOf(octets, parseHeader(octets)),
    attachments: parts
      .filter(({ fileName, inline }) => fileName !== '' && !inline)
      .map(({ partId, fileName, contentType }) => {
        const part = partOf(tree, partId);
        const link = `${base}/api/v1/message/${transaction.transactionId}/part/${partId}`;
        return {
          filename: fileName,
          'content-type': contentType,
          'download-link': link,
          'view-link': link,
          md5: createHash('md5')
            .update(part ? servedOctets(octets, part) : '')
            .digest('hex'),
        };
      }),
  };
}
