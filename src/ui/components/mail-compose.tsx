import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import type { Address } from '../../http/schemas/common.ts';
import type { ComposeBody, Composed } from '../../http/schemas/compose.ts';
import { ApiError, post, wordsOf } from '../api.ts';
import { formatAbsolute, formatOctets } from '../format.ts';
import { mailTexts } from '../mail-texts.ts';
import { WRITES, type WriteKind, writeAddress } from '../mail-places.ts';
import { navigate, withQuery } from '../router.ts';
import { type MessageState, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { Problem } from './problem.tsx';
import { RemovableChip } from './removable-chip.tsx';

/** All that has been typed, but for files. */
interface Draft {
  readonly from: string;
  readonly name: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly text: string;
}

interface Attached {
  readonly fileName: string;
  readonly contentType: string;
  readonly size: number;
  readonly base64: string;
}

/** The server takes five megabytes of JSON, and base64 makes four octets of three. */
const MOST_ATTACHED = 3_500_000;

/** Something that is written, for as long as the address says so. */
export function ComposeDialog({ query }: { readonly query: URLSearchParams }) {
  const kind = WRITES.find((each) => each === query.get('write')) ?? 'new';
  const accounts = useAppState((state) => state.accounts);
  const open = useAppState((state) => state.message);
  const close = (): void => navigate(writeAddress(query, undefined), { replace: true });
  const isReady = accounts !== undefined && (kind === 'new' || open?.phase === 'ready');
  return (
    <Dialog label={mailTexts.compose.title[kind]} className="compose" close={close}>
      <header>
        <h2>{mailTexts.compose.title[kind]}</h2>
        <button type="button" className="tool" aria-label={texts.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {accounts?.length === 0 ? (
        <p className="muted">{mailTexts.compose.noAccount}</p>
      ) : isReady ? (
        <Compose
          key={`${kind} ${open?.id ?? ''}`}
          kind={kind}
          open={kind === 'new' ? undefined : open}
          accounts={accounts.map(({ address }) => address)}
          listed={query.get('account') ?? undefined}
          close={close}
        />
      ) : (
        <p className="muted">{mailTexts.compose.loading}</p>
      )}
    </Dialog>
  );
}

interface ComposeProps {
  readonly kind: WriteKind;
  /** What is answered or forwarded. */
  readonly open: MessageState | undefined;
  readonly accounts: readonly string[];
  /** The account whose mail is listed. */
  readonly listed: string | undefined;
  readonly close: () => void;
}

function Compose({ kind, open, accounts, listed, close }: ComposeProps) {
  const message = open?.message;
  const place = `glassmail-draft ${kind} ${message?.id ?? ''}`;
  const [draft, setDraft] = useState<Draft>(() => keptDraft(place) ?? firstDraft(kind, open, accounts, listed));
  const [files, setFiles] = useState<readonly Attached[]>([]);
  const [problem, setProblem] = useState<ApiError | string>();
  const [isSending, setSending] = useState(false);
  const [sent, setSent] = useState<Composed>();
  const [showsAll, setShowsAll] = useState(draft.cc !== '' || draft.bcc !== '' || draft.name !== '');
  const form = useRef<HTMLFormElement>(null);
  // An answer is written above what it quotes. The dialog itself sees to this if it opens with all of it.
  const first = kind === 'new' || kind === 'forward' ? 'to' : 'text';
  useEffect(() => form.current?.querySelector<HTMLElement>('[data-first]')?.focus(), []);
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    keep(place, next);
  };
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    setSending(true);
    setProblem(undefined);
    const copy = open?.copy;
    const isOwn = copy?.message !== undefined && copy.account === draft.from;
    const body: ComposeBody = {
      ...draft,
      attachments: files.map(({ fileName, contentType, base64 }) => ({ fileName, contentType, base64 })),
      ...(message && {
        answers: {
          id: message.id,
          kind: kind === 'forward' ? ('forward' as const) : ('reply' as const),
          ...(isOwn && { mailbox: copy.mailbox.id, uid: copy.uid }),
        },
      }),
    };
    post('/compose', body).then(
      (answer) => {
        keep(place, undefined);
        setSent(answer as Composed);
      },
      (error: unknown) => {
        setSending(false);
        setProblem(error instanceof ApiError ? error : wordsOf(error));
      },
    );
  };
  if (sent) return <Sent sent={sent} close={close} />;
  const field = (name: 'to' | 'cc' | 'bcc' | 'subject' | 'name') => (
    <label className="labelled-row">
      <span>{mailTexts.compose[name]}</span>
      <input
        className="field"
        type="text"
        name={name}
        dir="auto"
        autoComplete="off"
        data-first={name === first ? true : undefined}
        spellCheck={name === 'subject'}
        value={draft[name]}
        aria-invalid={isAbout(problem, name)}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form ref={form} className="compose-form" onSubmit={send}>
      <label className="labelled-row">
        <span>{mailTexts.compose.from}</span>
        <select name="from" value={draft.from} onChange={(event) => change({ from: event.currentTarget.value })}>
          {accounts.map((address) => (
            <option key={address} value={address}>
              {visibleName(address)}
            </option>
          ))}
        </select>
      </label>
      {field('to')}
      {showsAll ? (
        <>
          {field('cc')}
          {field('bcc')}
          {field('name')}
        </>
      ) : (
        <button type="button" className="button small plain show-all" onClick={() => setShowsAll(true)}>
          {mailTexts.compose.more}
        </button>
      )}
      {field('subject')}
      <textarea
        name="text"
        className="field"
        dir="auto"
        rows={12}
        aria-label={mailTexts.compose.text}
        data-first={first === 'text' ? true : undefined}
        value={draft.text}
        onChange={(event) => change({ text: event.currentTarget.value })}
      />
      <Files files={files} change={setFiles} />
      {problem === undefined ? null : <NotSent problem={problem} />}
      <footer>
        <p className="small-print">{mailTexts.compose.hint}</p>
        <button
          type="button"
          className="button plain"
          onClick={() => {
            keep(place, undefined);
            close();
          }}
        >
          {mailTexts.compose.discard}
        </button>
        <button type="submit" className="button primary" disabled={isSending}>
          <Icon name="sent" />
          {isSending ? mailTexts.compose.sending : mailTexts.compose.send}
        </button>
      </footer>
    </form>
  );
}

/** Whether the server named this field as the wrong one. */
function isAbout(problem: ApiError | string | undefined, name: string): boolean {
  if (!(problem instanceof ApiError) || !Array.isArray(problem.members.errors)) return false;
  return (problem.members.errors as { field: string }[]).some(({ field }) => field === name);
}

function NotSent({ problem }: { readonly problem: ApiError | string }) {
  const members = problem instanceof ApiError ? problem.members : {};
  const conversation = typeof members.conversation === 'string' ? members.conversation : undefined;
  return (
    <div className="note failed" role="alert">
      {typeof members.reply === 'string' ? <b>{mailTexts.compose.refused}: </b> : null}
      <bdi>{visibleText(typeof members.reply === 'string' ? members.reply : wordsOf(problem))}</bdi>
      {conversation === undefined ? null : (
        <>
          {' '}
          <Link to={`/wire/${conversation}`}>{mailTexts.compose.watch}</Link>
        </>
      )}
    </div>
  );
}

function Sent({ sent, close }: { readonly sent: Composed; readonly close: () => void }) {
  const { transactionId, conversation, reply, refused, sent: copy } = sent;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div className="sent-answer">
      <p role="status">
        <Icon name="check" /> <b>{mailTexts.compose.sentTitle}</b>
      </p>
      <p>
        <code>{visibleText(reply)}</code>
      </p>
      {refused.length === 0 ? null : (
        <div className="note failed" role="alert">
          {mailTexts.compose.partly}
          <ul>
            {refused.map(({ address, reply: words }) => (
              <li key={address}>
                <bdi>{visibleName(address)}</bdi>: {visibleText(words)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <ul className="plain-list">
        {conversation === null ? null : (
          <li>
            <Link to={`/wire/${conversation}`}>{mailTexts.compose.watch}</Link>
          </li>
        )}
        {transactionId === null ? null : (
          <li>
            <Link to={`/mail/${transactionId}`}>{mailTexts.compose.open}</Link>
          </li>
        )}
        <li>
          {copy ? (
            <Link to={withQuery('/mail', new URLSearchParams({ account: copy.account, mailbox: copy.mailboxName }))}>
              {mailTexts.compose.copy(copy.mailboxName)}
            </Link>
          ) : (
            mailTexts.compose.noCopy
          )}
        </li>
      </ul>
      <p className="buttons">
        <button ref={button} type="button" className="button" onClick={close}>
          {texts.close}
        </button>
      </p>
    </div>
  );
}

// ------------------------------------------------------------------------------------------------------------ files

interface FilesProps {
  readonly files: readonly Attached[];
  readonly change: (files: readonly Attached[]) => void;
}

function Files({ files, change }: FilesProps) {
  const [isTooLarge, setTooLarge] = useState(false);
  const add = async (list: FileList): Promise<void> => {
    const room = MOST_ATTACHED - files.reduce((sum, { size }) => sum + size, 0);
    const given = [...list];
    const fits = given.reduce((sum, { size }) => sum + size, 0) <= room;
    setTooLarge(!fits);
    if (fits) change([...files, ...(await Promise.all(given.map(attached)))]);
  };
  return (
    <div className="files">
      <label className="button small">
        <Icon name="attachment" />
        {mailTexts.compose.attach}
        <input
          type="file"
          multiple
          className="visually-hidden"
          onChange={(event) => {
            const { files: list } = event.currentTarget;
            if (list) void add(list);
          }}
        />
      </label>
      {files.map(({ fileName, size }, index) => (
        <RemovableChip
          key={index}
          words={mailTexts.compose.removeAttachment(visibleName(fileName))}
          remove={() => change(files.filter((_, at) => at !== index))}
        >
          <bdi className="file-name">{visibleName(fileName)}</bdi> <span className="muted">{formatOctets(size)}</span>
        </RemovableChip>
      ))}
      <Problem words={isTooLarge ? mailTexts.compose.tooLarge(MOST_ATTACHED) : undefined} />
    </div>
  );
}

async function attached(file: File): Promise<Attached> {
  const octets = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (let at = 0; at < octets.length; at += 8192) binary += String.fromCharCode(...octets.subarray(at, at + 8192));
  const isType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(file.type);
  return { fileName: file.name, contentType: isType ? file.type : '', size: file.size, base64: btoa(binary) };
}

// ------------------------------------------------------------------------------------------------------------ draft

function keptDraft(place: string): Draft | undefined {
  try {
    const text = sessionStorage.getItem(place);
    return text === null ? undefined : (JSON.parse(text) as Draft);
  } catch {
    return undefined;
  }
}

/** A browser that keeps nothing is no reason not to write. */
function keep(place: string, draft: Draft | undefined): void {
  try {
    if (draft) sessionStorage.setItem(place, JSON.stringify(draft));
    else sessionStorage.removeItem(place);
  } catch {
    // It is in the fields.
  }
}

function firstDraft(
  kind: WriteKind,
  open: MessageState | undefined,
  accounts: readonly string[],
  listed: string | undefined,
): Draft {
  const message = open?.message;
  const isOwn = (address: string): boolean => accounts.some((own) => own.toLowerCase() === address.toLowerCase());
  const had = [open?.copy?.account, ...(message?.copies.map(({ account }) => account) ?? []), listed];
  const from = had.find((address) => address !== undefined && isOwn(address)) ?? accounts[0] ?? '';
  const empty = { from, name: '', to: '', cc: '', bcc: '', subject: '', text: '' };
  if (!message) return empty;
  const who = message.from ? formatted(message.from) : (message.transaction?.reversePath ?? '');
  const subject = (prefix: string, known: RegExp): string =>
    known.test(message.subject) ? message.subject : `${prefix} ${message.subject}`;
  if (kind === 'forward') {
    const fields = [
      [texts.message.from, who],
      [texts.message.date, message.dateField ?? ''],
      ['Subject', message.subject],
      [texts.message.to, message.to.map(formatted).join(', ')],
    ];
    const header = fields.map(([name, value]) => `${name!}: ${value!}`).join('\n');
    const text = `\n\n${mailTexts.compose.forwarded}\n${header}\n\n${message.text}`;
    return { ...empty, subject: subject('Fwd:', /^\s*(?:fwd?|wg)\s*:/i), text };
  }
  // What one has sent oneself is answered to whom it went.
  const isMine = message.from !== null && isOwn(message.from.address);
  const back = isMine ? message.to : message.replyTo.length > 0 ? message.replyTo : message.from ? [message.from] : [];
  const others = kind === 'reply-all' ? [...(isMine ? [] : message.to), ...message.cc] : [];
  const named = new Set([from.toLowerCase(), ...back.map(({ address }) => address.toLowerCase())]);
  const cc = others.filter(({ address }) => {
    const isNew = !named.has(address.toLowerCase());
    named.add(address.toLowerCase());
    return isNew;
  });
  const date = message.date === null ? '–' : formatAbsolute(Date.parse(message.date));
  const quote = message.text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`))
    .join('\n');
  return {
    ...empty,
    to: back.map(formatted).join(', '),
    cc: cc.map(formatted).join(', '),
    subject: subject('Re:', /^\s*(?:re|aw|sv|antw)\s*:/i),
    text: `\n\n${mailTexts.compose.quoted(date, who)}\n${quote}\n`,
  };
}

/** As it stands in a header field. */
function formatted({ name, address }: Address): string {
  const plain = name.replace(/[\x00-\x1f\x7f]/g, ' ').trim();
  if (plain === '') return address;
  return `${/^[\w '-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`} <${address}>`;
}
