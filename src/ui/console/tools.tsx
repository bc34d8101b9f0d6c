import { useId, useState } from 'react';
import { useDraft } from './draft.ts';
import type { Session } from './session.ts';
import { TASKS, type TaskName, nextOf } from './tasks.ts';
import { texts } from './texts.ts';

interface ToolsProps {
  readonly session: Session;
  readonly account: string;
  readonly other: string;
}

/** What helps with typing, folded away until it is wanted. */
export function Tools({ session, account, other }: ToolsProps) {
  return (
    <div className="console-tools">
      <DoItForMe session={session} account={account} other={other} />
      <details className="tool-box">
        <summary>{texts.insertOctets}</summary>
        <p className="waits">{texts.insertOctetsHint}</p>
        <p className="tool-row">
          {texts.octetChoices.map(([name, octets]) => (
            <button key={name} type="button" className="chip" onClick={() => session.insertOctets(octets)}>
              {name} <code>{octets}</code>
            </button>
          ))}
          <button type="button" className="chip" onClick={() => session.insertOctets('A'.repeat(1000))}>
            {texts.manyAs}
          </button>
        </p>
      </details>
      <Base64 session={session} account={account} />
    </div>
  );
}

function DoItForMe({ session, account, other }: ToolsProps) {
  const tasks = TASKS[session.service];
  const [task, setTask] = useState<TaskName>(tasks[0]!);
  const [isOver, setOver] = useState(false);
  const write = (): void => {
    const proposal = nextOf(task, session.store.latest, account, other);
    setOver(!proposal);
    if (proposal?.command !== undefined) session.put(proposal.command, proposal.why);
    if (proposal?.text !== undefined) session.setText(proposal.text);
  };
  return (
    <details className="tool-box">
      <summary>{texts.doIt}</summary>
      <p className="tool-row">
        {tasks.map((name) => (
          <label key={name} className="check">
            <input type="radio" checked={task === name} onChange={() => setTask(name)} />
            {texts.tasks[name]}
          </label>
        ))}
        <button type="button" className="button small" onClick={write}>
          {texts.write}
        </button>
      </p>
      <p className="waits" role="status">
        {isOver ? texts.taskDone : ''}
      </p>
    </details>
  );
}

function Base64({ session, account }: { readonly session: Session; readonly account: string }) {
  const [user, setUser] = useState(account);
  const [password, setPassword] = useState('');
  const [given, setGiven] = useState('');
  const id = useId();
  const { line } = useDraft(session.draft);
  const result = encode(`\0${user}\0${password}`);
  const putIn = (): void => session.setLine(/‹[^›]*›/.test(line) ? line.replace(/‹[^›]*›/, result) : line + result);
  return (
    <details className="tool-box">
      <summary>{texts.base64}</summary>
      <p className="waits">{texts.base64Hint}</p>
      <div className="tool-fields">
        <label>
          {texts.user}
          <input className="field" value={user} autoComplete="off" onChange={(event) => setUser(event.target.value)} />
        </label>
        <label>
          {texts.password}
          <input
            className="field"
            type="password"
            value={password}
            autoComplete="off"
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <button type="button" className="button small" disabled={password === ''} onClick={putIn}>
          {texts.putIn}
        </button>
        <label>
          {texts.decode}
          <input
            id={id}
            className="field"
            dir="ltr"
            value={given}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setGiven(event.target.value)}
          />
        </label>
        <output className="decoded" htmlFor={id}>
          {given === '' ? '' : decode(given)}
        </output>
      </div>
    </details>
  );
}

function encode(text: string): string {
  return btoa([...new TextEncoder().encode(text)].map((octet) => String.fromCharCode(octet)).join(''));
}

/** Octets that are no text are shown as `\xNN`. */
function decode(base64: string): string {
  try {
    const octets = atob(base64.replace(/\s/g, ''));
    return octets.replace(/[^\x20-\x7e]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`);
  } catch {
    return texts.notBase64;
  }
}
