/** All about one line: what it means, its fields and its octets, of which each shows where the other is. */
import { type ReactNode, useState } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { formatCount, formatDuration } from '../format.ts';
import { withQuery } from '../router.ts';
import { visibleLine, visibleName, visibleText } from '../visible-text.ts';
import type { Entry, NetworkEntry, UnitEntry } from '../wire-log.ts';
import { base64Words, octetsOf } from '../wire-octets.ts';
import { wireTexts } from '../wire-texts.ts';
import { CopyButton } from './copy-button.tsx';
import { Fact } from './facts.tsx';
import { type HexOctet, HexDump } from './hex-dump.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';
import { RevealedSecret } from './revealed-secret.tsx';
import { TlsBand, TlsFacts } from './tls-band.tsx';
import { RfcLink, annotationWords } from './wire-row.tsx';

/** More octets than these are not drawn. */
const MOST_OCTETS = 1024;

interface ConversationDrawerProps {
  readonly conversation: ConversationItem;
  readonly entry: Entry;
  readonly close: () => void;
}

export function ConversationDrawer({ conversation, entry, close }: ConversationDrawerProps) {
  return (
    <section className="drawer" aria-label={wireTexts.drawer.label}>
      <header>
        <h3>
          {entry.type === 'unit' || entry.type === 'network'
            ? wireTexts.drawer.of[entry.type === 'unit' ? entry.unit.side : entry.side]
            : wireTexts.drawer.label}
        </h3>
        <span className="muted">{formatDuration(entry.at)}</span>
        {entry.type === 'unit' ? <UnitTools conversation={conversation} entry={entry} /> : null}
        <CopyButton className="button small" text={location.href}>
          {wireTexts.drawer.link}
        </CopyButton>
        <button type="button" className="tool close" aria-label={wireTexts.drawer.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <DrawerBody conversation={conversation} entry={entry} />
    </section>
  );
}

function DrawerBody({ conversation, entry }: Omit<ConversationDrawerProps, 'close'>): ReactNode {
  switch (entry.type) {
    case 'unit':
      return <UnitBody conversation={conversation} entry={entry} />;
    case 'network':
      return <NetworkBody entry={entry} />;
    case 'tls':
      return (
        <div className="drawer-text">
          <TlsBand step={entry.tls} handshake={entry.handshake} />
          {entry.tls.step === 'end' ? <TlsFacts tls={entry.tls.tls} /> : null}
        </div>
      );
    case 'annotation':
      return (
        <p className="drawer-text">
          <bdi>{annotationWords(entry.annotation)}</bdi>
        </p>
      );
    case 'closed':
    case 'missed':
      return <p className="drawer-text muted">{wireTexts.drawer.nothing}</p>;
  }
}

// -------------------------------------------------------------------------------------------------- what was said

/** Those that the Console speaks: by STARTTLS or from the start, it is one. */
const CONSOLES: Readonly<Record<string, string>> = {
  smtp: 'smtp',
  submission: 'submission',
  submissions: 'submission',
  imap: 'imap',
  imaps: 'imap',
  pop3: 'pop3',
  pop3s: 'pop3',
};

function UnitTools({
  conversation,
  entry: { unit },
}: {
  readonly conversation: ConversationItem;
  readonly entry: UnitEntry;
}) {
  const service = CONSOLES[conversation.service];
  const isTried = unit.side === 'client' && unit.role !== 'data' && !unit.secret && service !== undefined;
  return (
    <>
      <span className="muted">
        {wireTexts.drawer.facts(unit.octets, unit.role === 'data' ? '' : wireTexts.drawer.ends[unit.end])}
      </span>
      <span className="push" />
      <CopyButton className="button small" text={unit.text}>
        {wireTexts.drawer.copy}
      </CopyButton>
      {isTried ? (
        <Link className="button small" to={withQuery(`/console/${service}`, new URLSearchParams({ line: unit.text }))}>
          {wireTexts.drawer.console}
        </Link>
      ) : null}
    </>
  );
}

function UnitBody({ conversation, entry }: { readonly conversation: ConversationItem; readonly entry: UnitEntry }) {
  const { unit, answers } = entry;
  const [chosen, setChosen] = useState<number>();
  const fields = unit.meaning?.fields ?? [];
  const fieldAt = (character: number): number =>
    fields.findLastIndex(({ start, end }) => character >= start && character < end);
  const octets = octetsOf(unit, MOST_OCTETS).map(({ value, character }): HexOctet => ({
    value,
    part: character === unit.text.length ? undefined : partOf(fieldAt(character)),
  }));
  return (
    <div className="drawer-columns">
      <div className="drawer-meaning">
        {unit.meaning === null ? null : (
          <p>
            {visibleText(unit.meaning.what)} {unit.meaning.rfc ? <RfcLink rfc={unit.meaning.rfc} isStop /> : null}
          </p>
        )}
        {answers === undefined ? null : (
          <p>
            {wireTexts.drawer.took(answers.ms)} {wireTexts.drawer.answers}{' '}
            <a href={`#${answers.id}`}>{wireTexts.drawer.theCommand}</a>.
          </p>
        )}
        <Decoded entry={entry} />
        {unit.secret ? <RevealedSecret conversation={conversation.id} unit={unit} /> : null}
        <h4>{wireTexts.drawer.fields}</h4>
        {fields.length === 0 ? (
          <p className="muted">{wireTexts.drawer.fieldsNone}</p>
        ) : (
          <ul className="fields">
            {fields.map((field, index) => (
              <li key={index}>
                <button
                  type="button"
                  aria-pressed={chosen === index}
                  onClick={() => setChosen(chosen === index ? undefined : index)}
                >
                  <span className="field-name">{field.name}</span>
                  <code dir="ltr">
                    {shownField(unit.text.slice(field.start, field.end), unit.charset === 'octets')}
                  </code>
                  {field.says === '' || field.says === unit.text.slice(field.start, field.end) ? null : (
                    <span className="field-says">{visibleText(field.says)}</span>
                  )}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="drawer-octets">
        <h4>{wireTexts.drawer.octets}</h4>
        <HexDump octets={octets} chosen={chosen} choose={setChosen} />
        {unit.octets > MOST_OCTETS ? <p className="muted">{wireTexts.drawer.octetsShown(MOST_OCTETS)}</p> : null}
      </div>
    </div>
  );
}

const partOf = (index: number): number | undefined => (index === -1 ? undefined : index);

function shownField(text: string, isOctets: boolean): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return visibleLine(cut.replace(/•{2,}/g, '•••••'), isOctets);
}

/** Base64 that holds no secret can be read here, when asked for. */
function Decoded({ entry: { unit } }: { readonly entry: UnitEntry }) {
  const [isShown, setShown] = useState(false);
  const decoded = unit.meaning?.decoded ?? [];
  const words = unit.role === 'data' ? [] : base64Words(unit.text);
  if (
    decoded.length === 0 &&
    (words.length === 0 || !/\b(334|AUTH|AUTHENTICATE)\b|^\+ |^[A-Za-z0-9+/=]+$/i.test(unit.text))
  )
    return null;
  return (
    <div className="decode">
      <button type="button" className="button small" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
        {isShown ? wireTexts.drawer.decodeHide : wireTexts.drawer.decode}
      </button>
      {isShown ? (
        <dl className="facts">
          {decoded.map(({ name, value }) => (
            <Fact key={name} name={name}>
              <bdi>{visibleName(value)}</bdi>
            </Fact>
          ))}
          {decoded.length > 0
            ? null
            : words.map(({ start, says }) => (
                <Fact key={start} name={wireTexts.drawer.decoded}>
                  <code dir="auto">{visibleLine(says, false)}</code>
                </Fact>
              ))}
        </dl>
      ) : null}
    </div>
  );
}

// ----------------------------------------------------------------------------------------------- what crossed the net

/** RFC 8446 §5.1: type, version, length. */
const HEADER = 5;

function NetworkBody({ entry }: { readonly entry: NetworkEntry }) {
  const [chosen, setChosen] = useState<number>();
  const isRecord = entry.content !== 'opaque';
  const octets = Array.from(entry.head, (char, index): HexOctet => ({
    value: char.charCodeAt(0),
    part: !isRecord || index >= HEADER ? undefined : index === 0 ? 0 : index < 3 ? 1 : 2,
  }));
  const { type, version, length } = wireTexts.drawer.recordHeader;
  const [first = 0, major = 0, minor = 0, high = 0, low = 0] = octets.map(({ value }) => value ?? 0);
  const fields = [
    [type, RECORD_TYPES[first] ?? formatCount(first)],
    [version, `${major}.${minor}`],
    [length, formatCount(high * 256 + low)],
  ];
  return (
    <div className="drawer-columns">
      <div className="drawer-meaning">
        {entry.content === 'encrypted' ? <p>{wireTexts.drawer.encryptedText}</p> : null}
        <p>
          {wireTexts.rows.records(entry.recordCount, entry.octets)}, {wireTexts.rows.content[entry.content]}
        </p>
        {isRecord ? (
          <>
            <h4>{wireTexts.drawer.fields}</h4>
            <ul className="fields">
              {fields.map(([name, says], index) => (
                <li key={name}>
                  <button
                    type="button"
                    aria-pressed={chosen === index}
                    onClick={() => setChosen(chosen === index ? undefined : index)}
                  >
                    <span className="field-name">{name}</span>
                    <code>{says}</code>
                  </button>
                </li>
              ))}
            </ul>
            <p>
              <RfcLink rfc={{ number: 8446, section: '5.1' }} isStop />
            </p>
          </>
        ) : null}
      </div>
      <div className="drawer-octets">
        <h4>{wireTexts.drawer.octets}</h4>
        <HexDump octets={octets} chosen={chosen} choose={setChosen} />
        {entry.octets > octets.length ? <p className="muted">{wireTexts.drawer.octetsShown(octets.length)}</p> : null}
      </div>
    </div>
  );
}

/** RFC 8446 §5.1, RFC 5246 §6.2.1. */
const RECORD_TYPES: Readonly<Record<number, string>> = {
  20: '20 change_cipher_spec',
  21: '21 alert',
  22: '22 handshake',
  23: '23 application_data',
  24: '24 heartbeat',
};
