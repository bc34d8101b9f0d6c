import type { Message, Part } from '../../http/schemas/messages.ts';
import { partPath } from '../api.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';
import { Icon } from './icons.tsx';

export function MessageParts({ message }: { readonly message: Message }) {
  return (
    <div className="parts-view">
      <h3>{texts.parts.title}</h3>
      <ul className="parts">
        <PartItem id={message.id} part={message.parts} />
      </ul>
    </div>
  );
}

/** A part with those inside it. Offsets count from the first octet that is kept. */
function PartItem({ id, part }: { readonly id: string; readonly part: Part }) {
  const name = part.fileName === null ? undefined : visibleName(part.fileName);
  return (
    <li>
      <div className="part">
        <span className="part-id">{part.partId === '' ? texts.parts.whole : part.partId}</span>
        <span className="part-type">{visibleName(part.contentType)}</span>
        {name === undefined ? null : <bdi className="file-name">{name}</bdi>}
        <span className="muted">
          {[
            ...(part.disposition === null ? [] : [visibleName(part.disposition)]),
            ...(part.charset === null ? [] : [`${texts.parts.charset} ${visibleName(part.charset)}`]),
            `${texts.parts.encoding} ${visibleName(part.encoding)}`,
            texts.parts.encoded(part.headerStart, part.end),
          ].join(' · ')}
        </span>
        {part.partId === '' ? null : (
          <a
            className="tool small"
            href={partPath(id, part.partId)}
            download
            aria-label={texts.parts.download(name ?? part.partId)}
          >
            <Icon name="download" />
          </a>
        )}
      </div>
      {part.parts.length === 0 ? null : (
        <ul>
          {part.parts.map((child, index) => (
            <PartItem key={index} id={id} part={child} />
          ))}
        </ul>
      )}
    </li>
  );
}
