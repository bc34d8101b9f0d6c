/** Where a message lies now, and what was changed of it. */
import { useState } from 'react';
import type { Journey, JourneyCopy, JourneyStep } from '../../http/schemas/journey.ts';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { AddressText } from '../components/person.tsx';
import { formatAbsolute } from '../format.ts';
import { visibleName } from '../visible-text.ts';
import { lineAddress } from './diagram.tsx';
import { texts } from './texts.ts';
import { fullName, stepWords } from './words.ts';

/** Copies that are shown before somebody asks for all. */
const SHOWN = 12;

export function Places({ journey }: { readonly journey: Journey }) {
  const { copies, copyCount } = journey;
  const [isOpen, setIsOpen] = useState(false);
  const shown = isOpen ? copies : copies.slice(0, SHOWN);
  const { copy } = texts;
  return (
    <section className="journey-part" aria-labelledby="copies">
      <h2 id="copies">{texts.copies}</h2>
      {copyCount === 0 ? (
        <p className="muted">{texts.noCopies}</p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={texts.copies}>
          <table className="fields copies">
            <thead>
              <tr>
                <th scope="col">{copy.account}</th>
                <th scope="col">{copy.mailbox}</th>
                <th scope="col">{copy.uid}</th>
                <th scope="col">{copy.flags}</th>
                <th scope="col">{copy.modSeq}</th>
                <th scope="col">{copy.uidValidity}</th>
                <th scope="col">{copy.saved}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((each, index) => (
                <CopyRow key={index} copy={each} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {copyCount > shown.length ? (
        <p className="muted">
          {texts.moreCopies(copyCount - shown.length)}{' '}
          {isOpen ? null : (
            <button type="button" className="button small" onClick={() => setIsOpen(true)}>
              {texts.allCopies(copies.length)}
            </button>
          )}
        </p>
      ) : null}
    </section>
  );
}

function CopyRow({ copy }: { readonly copy: JourneyCopy }) {
  const { account, mailbox, uid, uidValidity, modSeq, flags, savedAt, unexplained } = copy;
  return (
    <tr>
      <th scope="row">
        <AddressText address={account} />
      </th>
      <td>
        <bdi>{visibleName(mailbox)}</bdi>
      </td>
      <td>{uid}</td>
      <td>
        {flags.length === 0 ? (
          <span className="muted">{texts.copy.noFlags}</span>
        ) : (
          <ul className="flags">
            {flags.map((flag) => (
              <li key={flag}>
                <code>{visibleName(flag)}</code>
              </li>
            ))}
          </ul>
        )}
        {unexplained.length === 0 ? null : (
          <span className="muted aside">{texts.copy.unexplained(visibleName(unexplained.join(' ')))}</span>
        )}
      </td>
      <td>{modSeq}</td>
      <td>{uidValidity}</td>
      <td className="saved">{formatAbsolute(Date.parse(savedAt))}</td>
    </tr>
  );
}

const CHANGES: ReadonlySet<JourneyStep['deed']['type']> = new Set(['flags', 'marked', 'copied', 'moved', 'expunged']);

export function Changes({ journey: { participants, steps } }: { readonly journey: Journey }) {
  const changes = steps.filter(({ deed }) => CHANGES.has(deed.type));
  const words = (id: string): string => {
    const found = participants.find((participant) => participant.id === id);
    return found ? fullName(found) : '';
  };
  return (
    <section className="journey-part" aria-labelledby="changes">
      <h2 id="changes">{texts.changes}</h2>
      {changes.length === 0 ? (
        <p className="muted">{texts.noChanges}</p>
      ) : (
        <ol className="changes">
          {changes.map((step, index) => (
            <Change key={index} step={step} who={words(step.from)} where={words(step.to)} />
          ))}
        </ol>
      )}
    </section>
  );
}

interface ChangeProps {
  readonly step: JourneyStep;
  readonly who: string;
  readonly where: string;
}

function Change({ step, who, where }: ChangeProps) {
  const { text, detail } = stepWords(step);
  return (
    <li>
      <time className="muted" dateTime={step.at}>
        {formatAbsolute(Date.parse(step.at))}
      </time>
      <span>
        <bdi>{who}</bdi> <b>{text}</b> {detail === '' ? null : <bdi className="muted">{detail}</bdi>}{' '}
        <span className="muted">
          · <bdi>{where}</bdi>
        </span>{' '}
        {step.line ? (
          <Link className="lines" to={lineAddress(step.line)} aria-label={`${texts.line}: ${who} ${text}`}>
            {texts.line}
            <Icon name="next" />
          </Link>
        ) : null}
      </span>
    </li>
  );
}
