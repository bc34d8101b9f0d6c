import { type ReactNode, useEffect, useState } from 'react';
import type { Message } from '../../http/schemas/messages.ts';
import type { Readings, ShownOctets } from '../../http/schemas/readings.ts';
import { answered, isAbort, mailboxPath, wordsOf } from '../api.ts';
import { mailTexts } from '../mail-texts.ts';
import type { CopyState } from '../state.ts';
import { serviceName, texts } from '../texts.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { Facts } from './facts.tsx';
import { Link } from './link.tsx';
import { Problem } from './problem.tsx';

/** Of a message, as much is read of HTTP as the server reads of the others. */
const SHOWN = 64 * 1024;

interface Where {
  readonly account: string;
  readonly mailbox: number;
  readonly name: string;
  readonly uid: number;
}

interface Http {
  readonly path: string;
  readonly status: number;
  readonly type: string;
  readonly length: string;
  readonly body: ShownOctets;
}

type Loaded =
  | { readonly readings: Readings; readonly http: Http }
  | { readonly problem: string }
  /** Being asked. */
  | undefined;

/** One message as SMTP took it, as IMAP shows it, as POP3 hands it out and as HTTP returns it. */
export function MessageOthers({ message, copy }: { readonly message: Message; readonly copy: CopyState | undefined }) {
  const places = placesOf(message, copy);
  const [index, setIndex] = useState(0);
  const [round, setRound] = useState(0);
  const [loaded, setLoaded] = useState<Loaded>();
  const place = places[Math.min(index, places.length - 1)];
  const key = place && `${mailboxPath(place.account, place.mailbox)}/messages/${place.uid}`;
  useEffect(() => {
    if (key === undefined) return;
    const leaving = new AbortController();
    setLoaded(undefined);
    Promise.all([askOurselves(key, leaving.signal), askByHttp(`/api/glass${key}/raw`, leaving.signal)]).then(
      ([readings, http]) => setLoaded({ readings, http }),
      (error: unknown) => {
        if (!isAbort(error)) setLoaded({ problem: wordsOf(error) });
      },
    );
    return () => leaving.abort();
  }, [key, round]);
  if (!place) return <p className="blank muted">{mailTexts.others.needsCopy}</p>;
  return (
    <div className="others-view">
      <div className="view-bar">
        <p className="muted">{mailTexts.others.intro}</p>
        {places.length < 2 ? null : (
          <label className="labelled-inline">
            {mailTexts.others.choose}{' '}
            <select value={index} onChange={(event) => setIndex(Number(event.currentTarget.value))}>
              {places.map(({ account, name, uid }, number) => (
                <option key={number} value={number}>
                  {visibleName(account)} {visibleName(name)} UID {uid}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" className="button small" disabled={!loaded} onClick={() => setRound(round + 1)}>
          {mailTexts.others.again}
        </button>
      </div>
      {loaded === undefined ? (
        <p className="muted" role="status">
          {mailTexts.others.asking}
        </p>
      ) : 'problem' in loaded ? (
        <Problem words={loaded.problem} />
      ) : (
        <div className="ways">
          <Smtp message={message} readings={loaded.readings} />
          <Imap readings={loaded.readings} />
          <Pop3 readings={loaded.readings} />
          <HttpWay http={loaded.http} traceOctets={loaded.readings.traceOctets} />
        </div>
      )}
    </div>
  );
}

function placesOf(message: Message, copy: CopyState | undefined): Where[] {
  if (copy?.message) {
    return [{ account: copy.account, mailbox: copy.mailbox.id, name: copy.mailbox.name, uid: copy.uid }];
  }
  return message.copies.map(({ account, mailbox, mailboxName, uid }) => ({
    account,
    mailbox,
    name: mailboxName,
    uid,
  }));
}

async function askOurselves(key: string, signal: AbortSignal): Promise<Readings> {
  const answer = await answered(`/api/glass${key}/readings`, { method: 'POST', signal });
  return (await answer.json()) as Readings;
}

async function askByHttp(path: string, signal: AbortSignal): Promise<Http> {
  const answer = await answered(path, { signal });
  const octets = new Uint8Array(await answer.arrayBuffer());
  return {
    path,
    status: answer.status,
    type: answer.headers.get('Content-Type') ?? '',
    length: answer.headers.get('Content-Length') ?? '',
    body: { text: textOf(octets.subarray(0, SHOWN)), octets: octets.length, shown: Math.min(octets.length, SHOWN) },
  };
}

function textOf(octets: Uint8Array): string {
  try {
    // `stream`: the end may be in the middle of a character.
    return new TextDecoder('utf-8', { fatal: true }).decode(octets, { stream: true });
  } catch {
    return new TextDecoder('windows-1252').decode(octets);
  }
}

// ------------------------------------------------------------------------------------------------------------- ways

interface WayProps {
  readonly title: string;
  readonly note: string;
  readonly conversation: string | null;
  readonly facts: readonly (readonly [string, ReactNode])[];
  readonly said?: Readings['imap']['said'];
  readonly problem?: string | null;
  readonly body: ShownOctets | null;
  readonly marks: Marks;
}

function Way({ title, note, conversation, facts, said = [], problem = null, body, marks }: WayProps) {
  return (
    <section className="way-column">
      <header>
        <h3>{title}</h3>
        {conversation === null ? null : <Link to={`/wire/${conversation}`}>{mailTexts.others.watch}</Link>}
      </header>
      <p className="muted">{note}</p>
      {problem === null ? null : (
        <p className="note">
          <bdi>{visibleText(problem)}</bdi>
        </p>
      )}
      <Facts facts={facts} />
      {said.length === 0 ? null : (
        <details>
          <summary>{mailTexts.others.dialogue}</summary>
          <ol className="dialogue">
            {said.map(({ by, text }, index) => (
              <li key={index} className={by}>
                <span className="visually-hidden">{mailTexts.others[by]}: </span>
                <code>{visibleText(text) || ' '}</code>
              </li>
            ))}
          </ol>
        </details>
      )}
      {body ? <Octets title={title} body={body} marks={marks} /> : null}
    </section>
  );
}

function Smtp({ message, readings }: { readonly message: Message; readonly readings: Readings }) {
  const { transaction } = message;
  const facts: [string, ReactNode][] = transaction
    ? [
        [
          mailTexts.others.envelope,
          <bdi key="e">
            {mailTexts.others.envelopeText(
              visibleName(transaction.reversePath),
              transaction.forwardPaths.map(({ address }) => visibleName(address)),
            )}
          </bdi>,
        ],
        ['EHLO', transaction.helo === null ? '–' : <bdi key="h">{visibleName(transaction.helo)}</bdi>],
      ]
    : [];
  return (
    <Way
      title={mailTexts.others.smtp(serviceName(transaction?.service ?? 'smtp'))}
      note={transaction ? mailTexts.others.smtpNote : mailTexts.others.appended}
      conversation={transaction?.conversation ?? null}
      facts={[...facts, ...octetFacts(readings.received)]}
      body={readings.received}
      marks={{ trace: 0, stuffed: false }}
    />
  );
}

function Imap({ readings: { imap, traceOctets } }: { readonly readings: Readings }) {
  const items = imap.items.map(({ name, value }): [string, ReactNode] => [
    name,
    <code key={name}>{visibleText(value)}</code>,
  ]);
  const literal: [string, ReactNode][] =
    imap.literal === null ? [] : [['BODY[]', mailTexts.others.literal(imap.literal)]];
  return (
    <Way
      title={mailTexts.others.imap}
      note={mailTexts.others.imapNote}
      conversation={imap.conversation}
      facts={[...items, ...literal, ...octetFacts(imap.body, traceOctets)]}
      said={imap.said}
      problem={imap.problem}
      body={imap.body}
      marks={{ trace: traceOctets, stuffed: false }}
    />
  );
}

function Pop3({ readings: { pop3, traceOctets } }: { readonly readings: Readings }) {
  const { status, uniqueId, command, stuffed, body } = pop3;
  const facts: [string, ReactNode][] = [
    ...(status === null ? [] : [[mailTexts.others.stat, <code key="s">{status}</code>] as [string, ReactNode]]),
    ...(uniqueId === null ? [] : [[mailTexts.others.uniqueId, <code key="u">{uniqueId}</code>] as [string, ReactNode]]),
    ...(command === null
      ? []
      : [
          [command, stuffed === 0 ? mailTexts.others.noStuffed : mailTexts.others.stuffed(stuffed)] as [
            string,
            ReactNode,
          ],
        ]),
  ];
  return (
    <Way
      title={mailTexts.others.pop3}
      note={command === 'TOP' ? `${mailTexts.others.pop3Note} ${mailTexts.others.pop3Top}` : mailTexts.others.pop3Note}
      conversation={pop3.conversation}
      facts={[...facts, ...octetFacts(body, traceOctets)]}
      said={pop3.said}
      problem={pop3.problem}
      body={body}
      marks={{ trace: traceOctets, stuffed: true }}
    />
  );
}

function HttpWay({ http, traceOctets }: { readonly http: Http; readonly traceOctets: number }) {
  return (
    <Way
      title={mailTexts.others.http}
      note={mailTexts.others.httpNote}
      conversation={null}
      facts={[
        [mailTexts.others.route, <code key="r">GET {http.path}</code>],
        [mailTexts.others.status, String(http.status)],
        [mailTexts.others.type, http.type],
        [mailTexts.others.length, http.length],
        ...octetFacts(http.body, traceOctets),
      ]}
      body={http.body}
      marks={{ trace: traceOctets, stuffed: false }}
    />
  );
}

function octetFacts(body: ShownOctets | null, traceOctets = 0): [string, ReactNode][] {
  if (!body) return [];
  const { octets, shown } = body;
  const words = [
    mailTexts.others.octets(octets),
    ...(traceOctets > 0 ? [mailTexts.others.trace(traceOctets)] : []),
    ...(shown < octets ? [mailTexts.others.cut(shown)] : []),
  ];
  return [[texts.source.octets, words.join(' · ')]];
}

// ----------------------------------------------------------------------------------------------------------- octets

interface Marks {
  /** So many octets from the start were added on arrival. */
  readonly trace: number;
  /** A dot in front of a line is one more than there was, and a lone one is the end. */
  readonly stuffed: boolean;
}

interface Line {
  readonly text: string;
  readonly mark: 'trace' | 'stuffed' | 'end' | undefined;
}

function Octets({ title, body, marks }: { readonly title: string; readonly body: ShownOctets; readonly marks: Marks }) {
  const lines = linesOf(body.text, marks);
  const used = (['trace', 'stuffed', 'end'] as const).filter((mark) => lines.some((line) => line.mark === mark));
  return (
    <>
      {used.length === 0 ? null : (
        <p className="legend">
          {used.map((mark) => (
            <span key={mark} className={`mark-${mark}`}>
              {mailTexts.others.legend[mark]}
            </span>
          ))}
        </p>
      )}
      <pre className="source" dir="ltr" tabIndex={0} aria-label={title}>
        {lines.map(({ text, mark }, index) => (
          <span key={index} className={mark === undefined ? undefined : `mark-${mark}`}>
            {`${visibleText(text).replaceAll('\r', '\u240d')}\n`}
          </span>
        ))}
      </pre>
    </>
  );
}

/** The trace is ASCII, so its octets are its characters; dot-stuffing does not touch it. */
function linesOf(text: string, { trace, stuffed }: Marks): Line[] {
  let at = 0;
  const lines = text.split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const isTrace = at < trace;
    at += line.length + 2;
    const mark = isTrace
      ? 'trace'
      : stuffed && line === '.'
        ? 'end'
        : stuffed && line.startsWith('..')
          ? 'stuffed'
          : undefined;
    return { text: line, mark };
  });
}
