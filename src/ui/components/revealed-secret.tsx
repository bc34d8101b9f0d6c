import { useEffect, useRef, useState } from 'react';
import type { RevealAnswer } from '../../http/schemas/conversation-exports.ts';
import type { Spoken } from '../../http/schemas/reading.ts';
import { revealSecrets, wordsOf } from '../api.ts';
import { state } from '../state.ts';
import { visibleLine, visibleName } from '../visible-text.ts';
import { wireTexts } from '../wire-texts.ts';
import { Fact } from './facts.tsx';
import { Problem } from './problem.tsx';

type Revealed = RevealAnswer['revealed'][number];

interface RevealedSecretProps {
  readonly conversation: string;
  readonly unit: Spoken;
}

/** A secret, when it was asked for and confirmed: it is here alone, and goes with the drawer. */
export function RevealedSecret({ conversation, unit }: RevealedSecretProps) {
  const [revealed, setRevealed] = useState<Revealed>();
  const [problem, setProblem] = useState<string>();
  const isHere = useRef(true);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);
  const reveal = async (): Promise<void> => {
    try {
      const answer = await revealSecrets(conversation, [unit.seq]);
      if (!isHere.current) return;
      setProblem(undefined);
      setRevealed(answer.revealed.find(({ side, position }) => side === unit.side && position === unit.position));
    } catch (error) {
      if (isHere.current) setProblem(wordsOf(error));
    }
  };
  const ask = (): void =>
    state.update({
      question: {
        title: wireTexts.drawer.revealTitle,
        text: wireTexts.drawer.revealText,
        confirm: wireTexts.drawer.revealConfirm,
        act: () => void reveal(),
      },
    });
  return (
    <div className="reveal">
      <button type="button" className="button small" onClick={revealed ? () => setRevealed(undefined) : ask}>
        {revealed ? wireTexts.drawer.revealHide : wireTexts.drawer.reveal}
      </button>
      <Problem words={problem} />
      {revealed === undefined ? null : <RevealedText revealed={revealed} />}
    </div>
  );
}

function RevealedText({ revealed: { text, charset, secrets, decoded } }: { readonly revealed: Revealed }) {
  const visible = (start: number, end?: number): string => visibleLine(text.slice(start, end), charset === 'octets');
  let at = 0;
  const pieces = secrets.flatMap(({ start, end }) => {
    const before = visible(at, start);
    at = end;
    return [before, <mark key={start}>{visible(start, end)}</mark>];
  });
  return (
    <div className="revealed" role="status">
      <code dir="ltr">
        {pieces}
        {visible(at)}
      </code>
      {decoded.length === 0 ? null : (
        <dl className="facts">
          {decoded.map(({ name, value }) => (
            <Fact key={name} name={name}>
              <bdi>{visibleName(value)}</bdi>
            </Fact>
          ))}
        </dl>
      )}
    </div>
  );
}
