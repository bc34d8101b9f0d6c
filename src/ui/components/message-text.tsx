import { type ReactNode, useState } from 'react';
import type { Message } from '../../http/schemas/messages.ts';
import { formatOctets } from '../format.ts';
import { usePlace, withQuery } from '../router.ts';
import { texts } from '../texts.ts';
import { visibleText } from '../visible-text.ts';
import { Link } from './link.tsx';

/** What is longer is cut until it is asked for: a page of megabytes is slow to lay out. */
const SHOWN = 100_000;

export function MessageText({ message }: { readonly message: Message }) {
  const [isWhole, setWhole] = useState(false);
  const { text } = message;
  const { query } = usePlace();
  if (text === '') {
    return (
      <p className="blank muted">
        {texts.message.noText}{' '}
        <Link to={withQuery(location.pathname, query, { view: 'source' })}>{texts.message.noTextHint}</Link>
      </p>
    );
  }
  const shown = isWhole ? text : text.slice(0, SHOWN);
  return (
    <div className="text-view">
      {message.textFromHtml ? <p className="note">{texts.message.fromHtml}</p> : null}
      <pre dir="auto">{withLinks(visibleText(shown))}</pre>
      {shown.length < text.length ? (
        <button type="button" className="button" onClick={() => setWhole(true)}>
          {texts.message.showAll(formatOctets(text.length))}
        </button>
      ) : null}
    </div>
  );
}

/** A link's text is its address, so it cannot lie about where it leads. */
function withLinks(text: string): ReactNode[] {
  return text.split(/(https?:\/\/[^\s<>"'\\^`{|}]+[^\s<>"'\\^`{|}.,;:!?)\]])/).map((piece, index) =>
    index % 2 === 0 || !URL.canParse(piece) ? (
      piece
    ) : (
      <a key={index} href={piece} target="_blank" rel="noopener noreferrer" dir="ltr">
        {piece}
      </a>
    ),
  );
}
