import { useEffect } from 'react';
import { texts as app } from '../texts.ts';
import './journey.css';
import { texts } from './texts.ts';

export function JourneyPage({ message }: { readonly message: string }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  return (
    <div className="journey-page">
      <h1>{texts.title}</h1>
      <p>{message}</p>
    </div>
  );
}
