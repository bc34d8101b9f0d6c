import { useEffect } from 'react';
import { texts as app } from '../texts.ts';
import './settings.css';
import { texts } from './texts.ts';

export function SettingsPage({ section }: { readonly section: string | undefined }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  return (
    <div className="settings-page">
      <h1>{texts.title}</h1>
      <p>{section}</p>
    </div>
  );
}
