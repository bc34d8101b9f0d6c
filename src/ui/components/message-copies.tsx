import type { Copy } from '../../http/schemas/messages.ts';
import { formatCount } from '../format.ts';
import { mailTexts } from '../mail-texts.ts';
import { copyAddress } from '../mail-places.ts';
import { visibleName } from '../visible-text.ts';
import { Link } from './link.tsx';
import { flagName, shownFlags } from './message-flags.tsx';

/** A message to a hundred people has a hundred copies. */
const SHOWN = 5;

/** Where the copies of an accepted message lie, each with its address. */
export function MessageCopies({
  emailId,
  copies,
}: {
  readonly emailId: string | null;
  readonly copies: readonly Copy[];
}) {
  if (copies.length === 0) return <span className="muted">{mailTexts.copies.nowhere}</span>;
  const first = copies.slice(0, SHOWN);
  const others = copies.slice(SHOWN);
  return (
    <>
      {first.map((copy) => (
        <CopyLine key={`${copy.mailbox} ${copy.uid}`} emailId={emailId} copy={copy} />
      ))}
      {others.length === 0 ? null : (
        <details>
          <summary>+{formatCount(others.length)}</summary>
          {others.map((copy) => (
            <CopyLine key={`${copy.mailbox} ${copy.uid}`} emailId={emailId} copy={copy} />
          ))}
        </details>
      )}
    </>
  );
}

function CopyLine({ emailId, copy }: { readonly emailId: string | null; readonly copy: Copy }) {
  const { account, mailboxName, uid } = copy;
  const words = [`UID ${uid}`, ...shownFlags(copy.flags).map(flagName)].join(' · ');
  const place = (
    <>
      <bdi>{visibleName(mailboxName)}</bdi> – <bdi>{visibleName(account)}</bdi>
    </>
  );
  return (
    <span className="copy">
      {emailId === null ? place : <Link to={copyAddress(emailId, account, mailboxName, uid)}>{place}</Link>}{' '}
      <span className="muted">{words}</span>
    </span>
  );
}
