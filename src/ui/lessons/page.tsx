import { useEffect } from 'react';
import { texts as app } from '../texts.ts';
import './lessons.css';
import { texts } from './texts.ts';

export function LessonsPage({ lesson }: { readonly lesson: string | undefined }) {
  useEffect(() => {
    document.title = `${texts.title} · ${app.name}`;
  }, []);
  return (
    <div className="lessons-page">
      <h1>{texts.title}</h1>
      <p>{lesson}</p>
    </div>
  );
}
