import { useEffect } from 'react';
import { Blank } from '../components/blank.tsx';
import { Link } from '../components/link.tsx';
import { texts } from '../texts.ts';

const PAGES = ['mail', 'wire', 'connect', 'console', 'lessons', 'settings'] as const;

export function MissingPage() {
  useEffect(() => {
    document.title = `${texts.missing.title} · ${texts.name}`;
  }, []);
  return (
    <Blank title={texts.missing.title} text={texts.missing.text} level={1}>
      <p>{texts.missing.links}</p>
      <ul>
        {PAGES.map((name) => (
          <li key={name}>
            <Link to={`/${name}`}>{texts.pages[name]}</Link>
          </li>
        ))}
      </ul>
    </Blank>
  );
}
