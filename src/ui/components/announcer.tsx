import { useEffect, useRef, useState } from 'react';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';

/** News are not read out one by one: together, and not more often than this. */
const EVERY_MS = 5000;

export function Announcer() {
  const heard = useAppState((state) => state.heard);
  const [words, setWords] = useState('');
  const told = useRef(heard);
  const last = useRef(0);
  useEffect(() => {
    if (heard === told.current) return;
    const wait = Math.max(0, last.current + EVERY_MS - Date.now());
    const timer = window.setTimeout(() => {
      const before = told.current;
      told.current = heard;
      last.current = Date.now();
      const { messages, conversations, problems } = texts.announce;
      const parts = [
        [heard.messages - before.messages, messages],
        [heard.conversations - before.conversations, conversations],
        [heard.problems - before.problems, problems],
      ] as const;
      const said = parts.filter(([count]) => count > 0).map(([count, say]) => say(count));
      if (said.length > 0) setWords(said.join(', '));
    }, wait);
    return () => window.clearTimeout(timer);
  }, [heard]);
  return (
    <p className="visually-hidden" role="status">
      {words}
    </p>
  );
}
