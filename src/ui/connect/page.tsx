import { useEffect } from 'react';
import { texts as app } from '../texts.ts';
import './connect.css';
import { texts } from './texts.ts';

export function ConnectPage({ program }: { readonly program: string | undefined }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  return (
    <div className="connect-page">
      <h1>{texts.title}</h1>
      <p>{program}</p>
    </div>
  );
}
