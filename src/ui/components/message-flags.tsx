import { setFlags } from '../mail.ts';
import { mailTexts } from '../mail-texts.ts';
import type { CopyState } from '../state.ts';
import { visibleName } from '../visible-text.ts';
import { AddWord } from './add-word.tsx';
import { RemovableChip } from './removable-chip.tsx';
import { ToolMenu } from './tool-menu.tsx';

const SYSTEM = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '\\Deleted'] as const;

export function flagName(flag: string): string {
  const known = SYSTEM.find((each) => each.toLowerCase() === flag.toLowerCase());
  return known ? mailTexts.flags.names[known] : visibleName(flag);
}

/** \Recent is this session's alone. */
export const shownFlags = (flags: readonly string[]): readonly string[] =>
  flags.filter((flag) => flag.toLowerCase() !== '\\recent');

/** The flags and keywords of a message where it lies: each can be taken away, others given. */
export function MessageFlags({ copy, flags }: { readonly copy: CopyState; readonly flags: readonly string[] }) {
  const which = { ids: [String(copy.uid)] };
  const has = (flag: string): boolean => flags.some((each) => each.toLowerCase() === flag.toLowerCase());
  const toggle = (flag: string): void => void setFlags(copy, which, has(flag) ? [] : [flag], has(flag) ? [flag] : []);
  const shown = shownFlags(flags);
  return (
    <div className="flag-list">
      {shown.length === 0 ? <span className="muted">{mailTexts.flags.none}</span> : null}
      {shown.map((flag) => (
        <RemovableChip key={flag} words={mailTexts.flags.remove(flagName(flag))} remove={() => toggle(flag)}>
          <bdi>{flagName(flag)}</bdi>
        </RemovableChip>
      ))}
      <ToolMenu icon="tag" words={mailTexts.flags.menu} buttonClass="small">
        {() => (
          <>
            <fieldset>
              <legend>{mailTexts.flags.label}</legend>
              {SYSTEM.map((flag) => (
                <label key={flag}>
                  <input type="checkbox" checked={has(flag)} onChange={() => toggle(flag)} />
                  {mailTexts.flags.names[flag]} <code className="muted">{flag}</code>
                </label>
              ))}
            </fieldset>
            <AddWord
              label={mailTexts.flags.keyword}
              pattern={'[A-Za-z0-9$_.\\-]+'}
              hint={mailTexts.flags.keywordHint}
              maxLength={200}
              add={(keyword) => void setFlags(copy, which, [keyword], [])}
            />
          </>
        )}
      </ToolMenu>
    </div>
  );
}
