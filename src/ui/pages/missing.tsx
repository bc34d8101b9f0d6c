import { useEffect } from 'react';
import { Blank } from '../components/blank.tsx';
import { Link } from '../components/link.tsx';
import { texts } from '../texts.ts';

export function MissingPage() {
  useEffect(() => {
    document.title = `${texts.missing.title} · ${texts.name}`;
  }, []);
  return (
    <Blank title={texts.missing.title} text={texts.missing.text} level={1}>
      <p>{texts.missing.links}</p>
      <ul>
        <li>
          <Link to="/mail">{texts.pages.mail}</Link>
        </li>
        <li>
          <Link to="/wire">{texts.pages.wire}</Link>
        </li>
      </ul>
    </Blank>
  );
}
