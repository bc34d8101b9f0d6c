/** The trace fields, with what each of their parts means. */
import type { ReactNode } from 'react';
import type { JourneyTraceField } from '../../http/schemas/journey.ts';
import { Fact } from '../components/facts.tsx';
import { formatAbsolute } from '../format.ts';
import { visibleName, visibleText } from '../visible-text.ts';
import { texts } from './texts.ts';

type Received = NonNullable<JourneyTraceField['received']>;

export function Trace({ trace }: { readonly trace: readonly JourneyTraceField[] }) {
  return (
    <section className="journey-part" aria-labelledby="trace">
      <h2 id="trace">{texts.traceFields}</h2>
      {trace.length === 0 ? (
        <p className="muted">{texts.noTrace}</p>
      ) : (
        <>
          <p className="muted">{texts.traceFieldsText}</p>
          <ol className="trace-fields">
            {trace.map((field, index) => (
              <li key={index} className="card">
                <h3>
                  {visibleName(field.name)}
                  {field.own ? <span className="own">{texts.own}</span> : null}
                </h3>
                <TraceField field={field} />
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function TraceField({ field: { name, value, received } }: { readonly field: JourneyTraceField }) {
  if (received && isRead(received)) return <ReceivedClauses received={received} />;
  const meaning = texts.meanings[name.toLowerCase()];
  return (
    <>
      <p>
        <code className="value">{visibleText(value.replace(/\s+/g, ' '))}</code>
      </p>
      {meaning === undefined ? null : <p className="muted">{meaning}</p>}
    </>
  );
}

/** Something of it could be understood. */
function isRead(received: Received): boolean {
  return received.by !== null || received.from !== null;
}

function ReceivedClauses({ received }: { readonly received: Received }) {
  const { clauses } = texts;
  const parts: readonly (readonly [name: string, value: ReactNode, meaning: string])[] = [
    [clauses.from, received.from, clauses.fromText(received.seen && visibleName(received.seen))],
    [clauses.by, received.by, clauses.byText],
    [clauses.with, received.with, received.with === null ? '' : texts.with(received.with)],
    [clauses.id, received.id, clauses.idText],
    [clauses.for, received.for, clauses.forText],
    [clauses.tls, received.tls, clauses.tlsText],
    [clauses.at, received.at === null ? null : formatAbsolute(Date.parse(received.at)), ''],
  ];
  return (
    <dl className="facts clauses">
      {parts.map(([name, value, meaning]) =>
        value === null ? null : (
          <Fact key={name} name={name}>
            <bdi className="clause">{typeof value === 'string' ? visibleName(value) : value}</bdi>{' '}
            {meaning === '' ? null : <span className="muted">{meaning}</span>}
          </Fact>
        ),
      )}
    </dl>
  );
}
