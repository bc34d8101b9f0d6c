import { type SubmitEvent, useId, useState } from 'react';
import type { Fault } from '../../http/schemas/faults.ts';
import { wordsOf } from '../api.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Link } from '../components/link.tsx';
import { Problem } from '../components/problem.tsx';
import { loadStatus } from '../mail.ts';
import { tell } from '../state.ts';
import { addFault, fetchFaults, removeFault, removeFaults, switchFaults } from './api.ts';
import { PRESETS, draftOf, sentenceOf } from './fault-words.ts';
import { useLoaded } from '../load.ts';
import { Shown } from './shown.tsx';
import { texts } from './texts.ts';

const words = texts.faults;
const LOOK_MS = 3000;

export function Faults() {
  const loaded = useLoaded(fetchFaults, LOOK_MS);
  const act = (work: Promise<unknown>): void =>
    void work.then(
      () => {
        loaded.reload();
        void loadStatus();
      },
      (error: unknown) => tell('failed', wordsOf(error)),
    );
  return (
    <>
      <p className="muted">{words.intro}</p>
      <Shown loaded={loaded}>
        {({ faults }) =>
          faults.length === 0 ? (
            <p className="note">{words.none}</p>
          ) : (
            <>
              <div className="settings-tools">
                <Switch
                  label={words.all}
                  on={faults.some(({ on }) => on)}
                  change={(on) => act(switchFaults(on))}
                  isShown
                />
                <CopyButton text={curlOf(faults)} className="button small">
                  {words.copyCurl}
                </CopyButton>
                <button type="button" className="button small" onClick={() => act(removeFaults())}>
                  {words.removeAll}
                </button>
              </div>
              <ol className="fault-list">
                {faults.map((fault) => (
                  <FaultRow key={fault.id} fault={fault} act={act} />
                ))}
              </ol>
            </>
          )
        }
      </Shown>
      <AddFault act={act} />
    </>
  );
}

function FaultRow({ fault, act }: { readonly fault: Fault; readonly act: (work: Promise<unknown>) => void }) {
  const sentence = sentenceOf(fault);
  return (
    <li className={fault.on ? '' : 'is-off'}>
      <Switch
        label={words.switchOf(sentence)}
        on={fault.on}
        change={(on) => act(switchFaults(on, [fault.id]))}
        isShown={false}
      />
      <p>
        {fault.name === null ? null : <b>{fault.name}: </b>}
        <span dir="auto">{sentence}</span>
        <span className="small-print">
          {words.hits(fault.hits, fault.matches)}
          {fault.scope === null ? '' : ` · ${words.scope(fault.scope)}`}
          {fault.hits === 0 ? null : (
            <>
              {' · '}
              <Link to="/wire?q=has:fault">{words.log}</Link>
            </>
          )}
        </span>
      </p>
      <button
        type="button"
        className="button small"
        aria-label={words.removeOf(sentence)}
        onClick={() => act(removeFault(fault.id))}
      >
        {words.remove}
      </button>
    </li>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly on: boolean;
  readonly change: (on: boolean) => void;
  /** Whether the label can be seen. */
  readonly isShown: boolean;
}

function Switch({ label, on, change, isShown }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={on}
      aria-label={isShown ? undefined : label}
      onClick={() => change(!on)}
    >
      <span className="knob" aria-hidden="true" />
      {isShown ? <span>{label}</span> : null}
      <span aria-hidden="true" className="small-print">
        {on ? words.on : words.off}
      </span>
    </button>
  );
}

function AddFault({ act }: { readonly act: (work: Promise<unknown>) => void }) {
  const id = useId();
  const [json, setJson] = useState(() => JSON.stringify(PRESETS.tempfail, null, 2));
  const [problem, setProblem] = useState<string>();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    let given: unknown;
    try {
      given = JSON.parse(json);
    } catch (error) {
      setProblem(words.notJson((error as Error).message));
      return;
    }
    setProblem(undefined);
    const rules = Array.isArray(given) ? (given as unknown[]) : [given];
    const added = addAll(rules);
    act(
      added.then(
        (count) => tell('done', words.added(count)),
        (error: unknown) => setProblem(wordsOf(error)),
      ),
    );
  };
  return (
    <form className="settings-form" onSubmit={submit} aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{words.add}</h3>
      <label>
        <span>{words.start}</span>
        <select
          className="field"
          onChange={(event) => setJson(JSON.stringify(PRESETS[event.target.value as keyof typeof PRESETS], null, 2))}
        >
          {Object.entries(words.presets).map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.json}</span>
        <textarea
          className="field code"
          rows={10}
          value={json}
          onChange={(event) => setJson(event.target.value)}
          spellCheck={false}
          autoCapitalize="none"
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        />
      </label>
      <Problem words={problem} id={`${id}-problem`} />
      <p>
        <button type="submit" className="button">
          {words.addButton}
        </button>
      </p>
    </form>
  );
}

/** One after the other: they are asked in this order. */
async function addAll(rules: readonly unknown[]): Promise<number> {
  for (const rule of rules) await addFault(rule);
  return rules.length;
}

function curlOf(faults: readonly Fault[]): string {
  return faults
    .map((fault) => {
      const json = JSON.stringify(draftOf(fault)).replaceAll("'", String.raw`'\''`);
      return `curl -H 'Content-Type: application/json' ${location.origin}/api/glass/faults -d '${json}'`;
    })
    .join('\n');
}
