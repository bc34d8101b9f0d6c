import { type SubmitEvent, useId, useState } from 'react';
import { mailTexts } from '../mail-texts.ts';

interface AddWordProps {
  readonly label: string;
  /** Which words can be, as a regular expression of all of it. */
  readonly pattern: string;
  readonly hint: string;
  readonly maxLength: number;
  readonly add: (word: string) => void;
}

/** A field for one word more: a keyword, a tag. */
export function AddWord({ label, pattern, hint, maxLength, add }: AddWordProps) {
  const id = useId();
  const [word, setWord] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    add(word.trim());
    setWord('');
  };
  return (
    <form className="add-word" onSubmit={submit}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        type="text"
        autoComplete="off"
        spellCheck={false}
        required
        maxLength={maxLength}
        pattern={pattern}
        title={hint}
        value={word}
        onChange={(event) => setWord(event.currentTarget.value)}
      />
      <button type="submit" className="button small">
        {mailTexts.flags.add}
      </button>
    </form>
  );
}
