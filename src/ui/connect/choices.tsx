import { useEffect, useId, useState } from 'react';
import type { TextConfiguration } from '../../http/schemas/connect.ts';
import { loadAccounts } from '../mail.ts';
import { useAppState } from '../state.ts';
import { type ProgramName, texts } from './texts.ts';

/** A list of more is too long to choose from; the address in the page's own address is always among them. */
const ACCOUNTS_SHOWN = 200;

export const PLACES = ['computer', 'network', 'container'] as const;
export type PlaceName = (typeof PLACES)[number];

interface ChoicesProps {
  readonly account: string;
  readonly place: PlaceName;
  readonly host: string;
  readonly program: string;
  readonly configurations: readonly Pick<TextConfiguration, 'program' | 'title' | 'kind'>[];
  readonly choose: (changes: {
    readonly account?: string;
    readonly from?: PlaceName;
    readonly host?: string;
    readonly program?: string;
  }) => void;
}

const KINDS = ['reader', 'tool', 'library', 'framework'] as const;

export function Choices({ account, place, host, program, configurations, choose }: ChoicesProps) {
  const accounts = useAppState((state) => state.accounts);
  useEffect(() => {
    if (accounts === undefined) void loadAccounts();
  }, [accounts]);
  const addresses = (accounts ?? []).slice(0, ACCOUNTS_SHOWN).map(({ address }) => address);
  return (
    <form
      className="choices"
      aria-label={texts.choices.label}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <label>
        <span>{texts.choices.account}</span>
        <select value={account} onChange={({ target }) => choose({ account: target.value })}>
          {[...new Set([...(account === '' ? [] : [account]), ...addresses])].map((address) => (
            <option key={address} value={address}>
              {address}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{texts.choices.from}</span>
        <select value={place} onChange={({ target }) => choose({ from: target.value as PlaceName })}>
          {PLACES.map((name) => (
            <option key={name} value={name}>
              {texts.choices.places[name]}
            </option>
          ))}
        </select>
      </label>
      {place === 'computer' ? null : (
        <HostField key={host} host={host} enter={(entered) => choose({ host: entered })} />
      )}
      <label>
        <span>{texts.choices.program}</span>
        <select value={program} onChange={({ target }) => choose({ program: target.value })}>
          <optgroup label={texts.choices.groups.program}>
            {(Object.keys(texts.programs) as ProgramName[]).map((name) => (
              <option key={name} value={name}>
                {texts.programs[name].title}
              </option>
            ))}
          </optgroup>
          {KINDS.map((kind) => {
            const ofKind = configurations.filter((configuration) => configuration.kind === kind);
            return ofKind.length === 0 ? null : (
              <optgroup key={kind} label={texts.choices.groups[kind]}>
                {ofKind.map(({ program: name, title }) => (
                  <option key={name} value={name}>
                    {title}
                  </option>
                ))}
              </optgroup>
            );
          })}
        </select>
      </label>
    </form>
  );
}

/** Taken when it is left, or with Enter: half a name is none. */
function HostField({ host, enter }: { readonly host: string; readonly enter: (host: string) => void }) {
  const [text, setText] = useState(host);
  const id = useId();
  const take = (): void => {
    if (text.trim() !== host) enter(text.trim());
  };
  return (
    <label htmlFor={id}>
      <span>{texts.choices.host}</span>
      <input
        id={id}
        className="field"
        value={text}
        spellCheck={false}
        autoCapitalize="off"
        onChange={({ target }) => setText(target.value)}
        onBlur={take}
        onKeyDown={({ key }) => {
          if (key === 'Enter') take();
        }}
      />
    </label>
  );
}
