import { useEffect } from 'react';
import { texts as app } from '../texts.ts';
import './console.css';
import { texts } from './texts.ts';

export function ConsolePage({ service }: { readonly service: string | undefined }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  return (
    <div className="console-page">
      <h1>{texts.title}</h1>
      <p>{service}</p>
    </div>
  );
}
