import {
  type ClipboardEvent,
  type KeyboardEvent,
  type RefObject,
  type SubmitEvent,
  useEffect,
  useId,
  useRef,
} from 'react';
import type { ConsoleHint } from '../../http/schemas/console.ts';
import { Icon } from '../components/icons.tsx';
import { Problem } from '../components/problem.tsx';
import { state as app } from '../state.ts';
import { useStore } from '../store.ts';
import { useDraft } from './draft.ts';
import { type Session, wire } from './session.ts';
import { texts } from './texts.ts';

interface ComposerProps {
  readonly session: Session;
  /** Fills `‹account›` and `‹other›` in. */
  readonly fill: (template: string) => string;
}

export function Composer({ session, fill }: ComposerProps) {
  const expects = useStore(session.store, (state) => state.standing?.expects);
  const phase = useStore(session.store, (state) => state.phase);
  const hints = useStore(session.store, (state) => state.hints);
  const problem = useStore(session.store, (state) => state.problem);
  const { note } = useDraft(session.draft);
  const input = useRef<HTMLInputElement>(null);
  if (phase === 'ended') return null;
  const isBlock = expects?.type === 'message' || (expects?.type === 'octets' && expects.octets > 0);
  return (
    <div className="composer">
      <Problem words={problem} />
      {isBlock ? (
        <BlockForm session={session} octets={expects.type === 'octets' ? expects.octets : undefined} />
      ) : (
        <>
          <Hints session={session} hints={hints} fill={fill} input={input} />
          {note === undefined ? null : <p className="composer-note">{note}</p>}
          <LineForm session={session} hints={hints} fill={fill} input={input} />
        </>
      )}
      {expects && !isBlock ? <p className="waits">{waitsFor(expects)}</p> : null}
    </div>
  );
}

function waitsFor(expects: NonNullable<ReturnType<Session['store']['shown']>['standing']>['expects']): string {
  switch (expects.type) {
    case 'sasl':
      return texts.waits.sasl(expects.mechanism, expects.prompt);
    case 'octets':
      return texts.endLineHint;
    case 'command':
    case 'message':
      return '';
    case 'greeting':
    case 'reply':
    case 'handshake':
    case 'nothing':
    case 'idle':
      return texts.waits[expects.type];
  }
}

// ------------------------------------------------------------------------------------------------------- a line

interface LineFormProps extends ComposerProps {
  readonly hints: readonly ConsoleHint[];
  readonly input: RefObject<HTMLInputElement | null>;
}

function LineForm({ session, hints, fill, input }: LineFormProps) {
  const { line } = useDraft(session.draft);
  const tag = useStore(session.store, (state) => (session.isImap ? state.standing?.nextTag : undefined));
  const expects = useStore(session.store, (state) => state.standing?.expects.type);
  const id = useId();
  useEffect(() => {
    // What is to be filled in is marked, so that typing replaces it.
    const field = input.current;
    const start = line.indexOf('‹');
    if (!field || start === -1 || document.activeElement !== field || field.value !== line) return;
    field.setSelectionRange(start, line.indexOf('›', start) + 1);
  }, [line, input]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    session.sendLine();
  };
  const keyed = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    if (session.recall(event.key === 'ArrowUp' ? -1 : 1)) event.preventDefault();
  };
  const pasted = (event: ClipboardEvent): void => {
    const text = event.clipboardData.getData('text').replace(/\r?\n$/, '');
    if (!text.includes('\n')) return;
    event.preventDefault();
    const lines = text.split(/\r?\n/);
    const { title, text: words, confirm } = texts.paste;
    const act = (): void => session.sendLines(lines);
    app.update({ question: { title: title(lines.length), text: words, confirm, act } });
  };
  const prefix = tag === undefined || expects !== 'command' ? '' : `${tag} `;
  return (
    <form className="line-form" onSubmit={submit}>
      <label className="visually-hidden" htmlFor={id}>
        {texts.line}
      </label>
      <input
        ref={input}
        id={id}
        className="field"
        dir="ltr"
        value={line}
        list={`${id}-list`}
        placeholder={expects === 'octets' ? texts.endLine : texts.placeholder}
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        onChange={(event) => session.setLine(event.target.value)}
        onKeyDown={keyed}
        onPaste={pasted}
      />
      <datalist id={`${id}-list`}>
        {hints.map(({ command, template, what }) => (
          <option key={command} value={prefix + fill(template)}>
            {what}
          </option>
        ))}
      </datalist>
      <button type="submit" className="button send">
        {texts.send}
        <span className="line-mark" title={texts.lineEndTitle} aria-hidden="true">
          {texts.lineEnd}
        </span>
      </button>
    </form>
  );
}

// -------------------------------------------------------------------------------------------------------- hints

function Hints({ session, hints, fill, input }: LineFormProps) {
  if (hints.length === 0) return null;
  const usual = hints.filter((hint) => hint.usual);
  const others = hints.filter((hint) => !hint.usual);
  const put = ({ template, what }: ConsoleHint): void => {
    session.put(fill(template), what);
    input.current?.focus();
  };
  return (
    <div className="hints">
      <span className="hints-title">{texts.next}</span>
      {usual.map((hint) => (
        <HintButton key={hint.command} hint={hint} put={put} />
      ))}
      {others.length === 0 ? null : (
        <details>
          <summary className="chip">{texts.more(others.length)}</summary>
          <div className="hints-more">
            {others.map((hint) => (
              <HintButton key={hint.command} hint={hint} put={put} />
            ))}
          </div>
        </details>
      )}
    </div>
  );
}

function HintButton({ hint, put }: { readonly hint: ConsoleHint; readonly put: (hint: ConsoleHint) => void }) {
  const { command, what, rfc } = hint;
  return (
    <button
      type="button"
      className="chip"
      title={`${what} ${texts.rfc(rfc.number, rfc.section)}`}
      onClick={() => put(hint)}
    >
      {command}
    </button>
  );
}

// -------------------------------------------------------------------------------------- a message, or octets

function BlockForm({ session, octets }: { readonly session: Session; readonly octets: number | undefined }) {
  const { text } = useDraft(session.draft);
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const have = new TextEncoder().encode(wire(text)).length;
  const stuffed = octets === undefined ? (text.match(/^\./gm)?.length ?? 0) : 0;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (octets === undefined) session.sendMessage();
    else session.sendOctets();
  };
  const keyed = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.closest('form')?.requestSubmit();
  };
  return (
    <form className="block-form" onSubmit={submit}>
      <label htmlFor={id}>{octets === undefined ? texts.message : texts.octets}</label>
      <p className="waits">{octets === undefined ? texts.messageHint : texts.octetsHint}</p>
      <textarea
        ref={field}
        id={id}
        dir="auto"
        rows={9}
        spellCheck={false}
        value={text}
        onChange={(event) => session.setText(event.target.value)}
        onKeyDown={keyed}
      />
      {stuffed === 0 ? null : <p className="composer-note">{texts.stuffed(stuffed)}</p>}
      <p className="block-end">
        {octets === undefined ? (
          <span className="line-mark" title={texts.messageHint} aria-hidden="true">
            {texts.finalDot}
          </span>
        ) : (
          <span className={have > octets ? 'problem' : undefined} role="status">
            {texts.octetsCount(have, octets)}
            {have > octets ? ` ${texts.octetsOver}` : ''}
          </span>
        )}
        <button type="submit" className="button send">
          <Icon name="up" />
          {octets === undefined ? texts.sendMessage : texts.sendOctets}
        </button>
      </p>
    </form>
  );
}
