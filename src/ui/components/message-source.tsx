import { useCallback, useState } from 'react';
import type { Message } from '../../http/schemas/messages.ts';
import { fetchSource } from '../api.ts';
import { useLoaded } from '../load.ts';
import { texts } from '../texts.ts';
import { visibleText } from '../visible-text.ts';

const SHOWN = 128 * 1024;
const HEX_SHOWN = 16 * 1024;

export function MessageSource({ message }: { readonly message: Message }) {
  const [isWhole, setWhole] = useState(false);
  const [isHex, setHex] = useState(false);
  const load = useCallback(
    (signal: AbortSignal) => fetchSource(message.id, isWhole ? message.size : SHOWN, signal),
    [message.id, message.size, isWhole],
  );
  const { value: source, problem } = useLoaded(load);
  if (problem !== undefined)
    return (
      <p className="blank" role="alert">
        {problem}
      </p>
    );
  if (source === undefined) return <p className="blank muted">{texts.mail.loading}</p>;
  const { octets, cut } = source;
  const { text, encoding } = decoded(octets);
  return (
    <div className="source-view">
      <div className="view-bar">
        <fieldset className="widths">
          <legend className="visually-hidden">{texts.source.label}</legend>
          <label>
            <input type="radio" name="source" checked={!isHex} onChange={() => setHex(false)} />
            {texts.source.text}
          </label>
          <label>
            <input type="radio" name="source" checked={isHex} onChange={() => setHex(true)} />
            {texts.source.octets}
          </label>
        </fieldset>
        <span className="muted">{isHex ? '' : texts.source.encoding[encoding]}</span>
        {message.traceOctets === 0 ? null : (
          <span className="trace-note">{texts.source.trace(message.traceOctets)}</span>
        )}
      </div>
      {isHex ? (
        <>
          {octets.length > HEX_SHOWN ? <p className="note">{texts.source.foldedHex(HEX_SHOWN)}</p> : null}
          <pre className="hex" tabIndex={0} aria-label={texts.source.octets}>
            {hexLines(octets.subarray(0, HEX_SHOWN))}
          </pre>
        </>
      ) : (
        <SourceText text={text} traceOctets={message.traceOctets} />
      )}
      {cut && !isHex ? (
        <p className="note">
          {texts.source.cut(octets.length, message.size)}{' '}
          <button type="button" className="button small" onClick={() => setWhole(true)}>
            {texts.source.all}
          </button>
        </p>
      ) : null}
    </div>
  );
}

/** The header with its field names told apart from their bodies; what the server added is marked. */
function SourceText({ text, traceOctets }: { readonly text: string; readonly traceOctets: number }) {
  const end = /\r?\n\r?\n/.exec(text);
  const header = end ? text.slice(0, end.index + end[0].length) : text;
  // The trace is ASCII, so its octets are its characters.
  const trace = header.slice(0, traceOctets);
  return (
    <pre className="source" dir="ltr" tabIndex={0} aria-label={texts.source.label}>
      {trace === '' ? null : (
        <span className="trace">
          <Fields text={trace} />
        </span>
      )}
      <Fields text={header.slice(trace.length)} />
      {shownLines(text.slice(header.length))}
    </pre>
  );
}

function Fields({ text }: { readonly text: string }) {
  return text.split(/^([!-9;-~]+:)/m).map((piece, index) =>
    index % 2 === 1 ? (
      <b className="field-name" key={index}>
        {piece}
      </b>
    ) : (
      shownLines(piece)
    ),
  );
}

/** CR LF as the end of a line, a CR alone as what it is. */
function shownLines(text: string): string {
  return visibleText(text.replaceAll('\r\n', '\n')).replaceAll('\r', '\u240d');
}

function decoded(octets: Uint8Array): { readonly text: string; readonly encoding: 'utf-8' | 'windows-1252' } {
  try {
    // `stream`: the end may be in the middle of a character.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(octets, { stream: true }), encoding: 'utf-8' };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(octets), encoding: 'windows-1252' };
  }
}

/** Sixteen octets a line: offset, hexadecimal, ASCII. */
function hexLines(octets: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < octets.length; at += 16) {
    const row = [...octets.subarray(at, at + 16)];
    const hex = row.map((octet) => octet.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.join('\n');
}
