import { useEffect, useState } from 'react';
import type { LessonBlock } from '../../http/schemas/lessons.ts';
import { wordsOf } from '../api.ts';
import { Icon } from '../components/icons.tsx';
import { tell } from '../state.ts';
import { addFault, findFault, removeFault, sendLessonMessage, type FaultRule } from './api.ts';
import { type ConsoleName, nameOf } from './desk.tsx';
import { texts } from './texts.ts';

interface BlocksProps {
  readonly blocks: readonly LessonBlock[];
  readonly lesson: string;
  readonly account: string;
  readonly putLine: (console: ConsoleName, line: string) => void;
  readonly putText: (console: ConsoleName, text: string) => void;
}

export function Blocks({ blocks, lesson, account, putLine, putText }: BlocksProps) {
  return blocks.map((block, index) => {
    switch (block.type) {
      case 'html':
        return <Html key={index} html={block.html} />;
      case 'try':
        return (
          <Try key={index} console={block.console} lines={block.lines} put={(line) => putLine(block.console, line)} />
        );
      case 'text':
        return (
          <figure key={index} className="to-type">
            <pre tabIndex={0}>
              <code>{block.text}</code>
            </pre>
            <button type="button" className="button small" onClick={() => putText(block.console, block.text)}>
              <Icon name="console" />
              {texts.writeIt}
            </button>
          </figure>
        );
      case 'fault':
        return <Fault key={index} rule={block.rule} />;
      case 'message':
        return <Message key={index} lesson={lesson} account={account} number={block.number} subject={block.subject} />;
    }
  });
}

/** Sanitised by the server. */
export function Html({ html }: { readonly html: string }) {
  return <div className="prose" dangerouslySetInnerHTML={{ __html: html }} />;
}

interface TryProps {
  readonly console: ConsoleName;
  readonly lines: readonly string[];
  readonly put: (line: string) => void;
}

function Try({ console, lines, put }: TryProps) {
  return (
    <figure className="to-type">
      <figcaption>{texts.inConsole(nameOf(console))}</figcaption>
      <ul>
        {lines.map((line, index) => (
          <li key={index}>
            <code dir="ltr">{line}</code>
            <button
              type="button"
              className="tool small"
              aria-label={`${texts.typeIt}: ${line}`}
              title={texts.typeIt}
              onClick={() => put(line)}
            >
              <Icon name="next" />
            </button>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** The text of a rule has a name; without one its effect tells it apart. */
const nameOfRule = (rule: FaultRule): string => rule.name ?? rule.what.type;

function Fault({ rule }: { readonly rule: FaultRule }) {
  const [id, setId] = useState<string>();
  const name = nameOfRule(rule);
  useEffect(() => {
    findFault(name).then(setId, () => undefined);
  }, [name]);
  const toggle = async (): Promise<void> => {
    try {
      if (id === undefined) setId(await addFault({ ...rule, name }));
      else {
        await removeFault(id);
        setId(undefined);
      }
    } catch (error) {
      tell('failed', wordsOf(error));
      setId(await findFault(name).catch(() => undefined));
    }
  };
  return (
    <p className="lesson-action">
      <Icon name="warning" />
      <span>{texts.faultIs(name)}</span>
      <button type="button" className="button small" aria-pressed={id !== undefined} onClick={() => void toggle()}>
        {id === undefined ? texts.faultOn : texts.faultOff}
      </button>
    </p>
  );
}

interface MessageProps {
  readonly lesson: string;
  readonly account: string;
  readonly number: number;
  readonly subject: string;
}

function Message({ lesson, account, number, subject }: MessageProps) {
  const [isSent, setSent] = useState(false);
  const send = async (): Promise<void> => {
    try {
      await sendLessonMessage(lesson, number, account);
      setSent(true);
    } catch (error) {
      tell('failed', wordsOf(error));
    }
  };
  return (
    <p className="lesson-action">
      <Icon name="mail" />
      <span role="status">{isSent ? texts.sent(subject) : texts.messageIs(subject)}</span>
      <button type="button" className="button small" onClick={() => void send()}>
        {texts.sendMessage}
      </button>
    </p>
  );
}
