import type { ReactNode } from 'react';
import type { Message } from '../../http/schemas/messages.ts';
import { mailTexts } from '../mail-texts.ts';
import { type CopyState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { CopyButton } from './copy-button.tsx';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';

interface CopyAsProps {
  readonly message: Message;
  readonly copy: CopyState | undefined;
  readonly close: () => void;
}

/** The message as whoever wants it next would ask for it: by the API, by IMAP, in a test. */
export function CopyAs({ message, copy, close }: CopyAsProps) {
  const status = useAppState((state) => state.status);
  const place = placeOf(message, copy);
  const imap = status?.services.find(({ service }) => service === 'imap')?.port ?? 1143;
  return (
    <Dialog label={mailTexts.copyAs.title} className="copy-as" close={close}>
      <header>
        <h2>{mailTexts.copyAs.title}</h2>
        <button type="button" className="tool" aria-label={texts.close} onClick={close} data-first>
          <Icon name="close" />
        </button>
      </header>
      <Block
        title={mailTexts.copyAs.api}
        text={`curl ${quoted(`${location.origin}/api/glass/messages/${message.id}`)}`}
      />
      {place ? (
        <Block title={mailTexts.copyAs.imap} text={imapCommands(place, imap)}>
          {mailTexts.copyAs.imapText}
        </Block>
      ) : (
        <p className="muted">{mailTexts.copyAs.none}</p>
      )}
      <Block title={mailTexts.copyAs.test} text={testCode(message)}>
        {mailTexts.copyAs.testText}
      </Block>
    </Dialog>
  );
}

interface BlockProps {
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
}

function Block({ title, text, children }: BlockProps) {
  return (
    <section>
      <h3>{title}</h3>
      {children === undefined ? null : <p className="muted">{children}</p>}
      <div className="command">
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
        <CopyButton text={text} label={`${texts.copy}: ${title}`} className="tool" />
      </div>
    </section>
  );
}

interface Where {
  readonly account: string;
  readonly name: string;
  readonly uid: number;
}

function placeOf(message: Message, copy: CopyState | undefined): Where | undefined {
  if (copy?.message) return { account: copy.account, name: copy.mailbox.name, uid: copy.uid };
  const [first] = message.copies;
  return first && { account: first.account, name: first.mailboxName, uid: first.uid };
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function imapCommands({ account, name, uid }: Where, port: number): string {
  const mailbox = `"${name.replace(/["\\]/g, '\\$&')}"`;
  return [
    `# nc -C ${location.hostname} ${port}`,
    `a1 LOGIN ${account} password`,
    // Names with other letters are in UTF-8 from then on (RFC 9051 §5.1).
    ...(/[^ -%'-~]/.test(name) ? ['a2 ENABLE IMAP4rev2'] : []),
    `a3 EXAMINE ${mailbox}`,
    `a4 UID FETCH ${uid} (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)`,
    `a5 UID FETCH ${uid} BODY.PEEK[]`,
    'a6 LOGOUT',
  ].join('\n');
}

function testCode(message: Message): string {
  const to = message.copies[0]?.account ?? message.to[0]?.address ?? '';
  const wanted = [
    ...(to === '' ? [] : [`to: ${JSON.stringify(to)}`]),
    ...(message.subject === '' ? [] : [`subject: ${JSON.stringify(message.subject)}`]),
  ].join(', ');
  return [
    "import { connect } from 'glassmail/client';",
    '',
    `const mail = await connect(${JSON.stringify(location.origin)});`,
    `const message = await mail.waitFor({ ${wanted} });`,
    ...(message.code === null ? [] : ['expect(message.code).toMatch(/\\w+/);']),
  ].join('\n');
}
