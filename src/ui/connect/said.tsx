import { CopyButton } from '../components/copy-button.tsx';
import { texts } from './texts.ts';
import type { Words } from './words.ts';

/** A sentence with its labels and values made visible. */
export function Said({ sentence }: { readonly sentence: Words }) {
  return sentence.map((part, index) => {
    if (typeof part === 'string') return part;
    return part.type === 'label' ? <b key={index}>{part.text}</b> : <Value key={index} text={part.text} />;
  });
}

/** Something to be typed elsewhere, with a button that copies it. */
export function Value({ text }: { readonly text: string }) {
  return (
    <span className="value">
      <code>
        <bdi>{text}</bdi>
      </code>
      <CopyButton text={text} label={texts.byHand.copy(text)} className="tool small" />
    </span>
  );
}

/** Lines to be copied as a whole. @param label what they are, for those who do not see where they stand */
export function Snippet({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="command">
      <pre tabIndex={0} aria-label={label} role="group">
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={texts.byHand.copy(label)} className="tool" />
    </div>
  );
}
