/** The envelope beside the header beside the octets. */
import type { ReactNode } from 'react';
import type {
  Journey,
  JourneyEnvelope,
  JourneyHeader,
  JourneyOctets,
  JourneyPerson,
} from '../../http/schemas/journey.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Fact } from '../components/facts.tsx';
import { Icon } from '../components/icons.tsx';
import { Link } from '../components/link.tsx';
import { AddressText, Person } from '../components/person.tsx';
import { visibleName, visibleText } from '../visible-text.ts';
import { texts } from './texts.ts';
import { shortProgram } from './words.ts';

/** Addresses that are shown of a field, and of the envelope. */
const SHOWN = 20;

export function Papers({ journey }: { readonly journey: Journey }) {
  const { envelope, header, octets, id } = journey;
  if (!header || !octets) return null;
  return (
    <section className="journey-part" aria-labelledby="paper">
      <h2 id="paper">{texts.paper}</h2>
      <p className="muted">{texts.paperText}</p>
      <div className="papers">
        <EnvelopeCard envelope={envelope} />
        <HeaderCard header={header} hasEnvelope={envelope !== null} />
        <OctetsCard octets={octets} id={id} />
      </div>
    </section>
  );
}

function Differs({ children }: { readonly children: ReactNode }) {
  return (
    <span className="differs">
      <Icon name="warning" />
      {children}
    </span>
  );
}

function EnvelopeCard({ envelope }: { readonly envelope: JourneyEnvelope | null }) {
  return (
    <section className="card" aria-labelledby="envelope">
      <h3 id="envelope">{texts.envelope}</h3>
      {envelope ? (
        <dl className="facts">
          <Fact name={texts.reversePath}>
            {envelope.reversePath === '' ? (
              <>
                <code>&lt;&gt;</code> <span className="muted">{texts.nullPath}</span>
              </>
            ) : (
              <AddressText address={envelope.reversePath} />
            )}
          </Fact>
          {envelope.returnType === null ? null : (
            <Fact name={texts.returnType}>
              <code>RET={visibleName(envelope.returnType)}</code>
            </Fact>
          )}
          {envelope.envelopeId === null ? null : (
            <Fact name={texts.envelopeId}>
              <code>ENVID={visibleName(envelope.envelopeId)}</code>
            </Fact>
          )}
          <Fact name={texts.recipients}>
            <Recipients envelope={envelope} />
          </Fact>
        </dl>
      ) : (
        <p className="muted">{texts.envelopeNone}</p>
      )}
    </section>
  );
}

function Recipients({ envelope }: { readonly envelope: JourneyEnvelope }) {
  const { recipients, recipientCount, unnamed } = envelope;
  return (
    <ul className="people">
      {recipients.slice(0, SHOWN).map(({ address, notify, originalRecipient, field }, index) => (
        <li key={index}>
          <AddressText address={address} />
          {field === null ? (
            <Differs>{texts.unnamed}</Differs>
          ) : (
            <span className="muted aside">{texts.named(field)}</span>
          )}
          {notify === null ? null : <code className="aside">{texts.notify(visibleName(notify))}</code>}
          {originalRecipient === null ? null : (
            <code className="aside">{texts.originalRecipient(visibleName(originalRecipient))}</code>
          )}
        </li>
      ))}
      {recipientCount <= SHOWN ? null : (
        <li className="muted">{texts.moreRecipients(recipientCount - SHOWN, unnamed)}</li>
      )}
    </ul>
  );
}

interface HeaderCardProps {
  readonly header: JourneyHeader;
  readonly hasEnvelope: boolean;
}

function HeaderCard({ header, hasEnvelope }: HeaderCardProps) {
  const { fields } = texts;
  const others = (people: readonly JourneyPerson[], words: string) =>
    people.some(({ inEnvelope }) => inEnvelope === true) ? '' : words;
  return (
    <section className="card" aria-labelledby="header">
      <h3 id="header">{texts.header}</h3>
      <dl className="facts">
        <Fact name={fields.from}>
          <PeopleList people={header.from} difference={others(header.from, texts.otherSender)} />
        </Fact>
        {header.sender.length === 0 ? null : (
          <Fact name={fields.sender}>
            <PeopleList people={header.sender} difference={others(header.sender, texts.otherSender)} />
          </Fact>
        )}
        {header.replyTo.length === 0 ? null : (
          <Fact name={fields.replyTo}>
            <PeopleList people={header.replyTo.map((person) => ({ ...person, inEnvelope: null }))} difference="" />
          </Fact>
        )}
        {(['to', 'cc', 'bcc'] as const).map((name) =>
          header[name].length === 0 && name !== 'to' ? null : (
            <Fact key={name} name={fields[name]}>
              <PeopleList people={header[name]} difference={texts.notRecipient} />
              {name === 'bcc' && hasEnvelope ? <Differs>{texts.blindNamed}</Differs> : null}
            </Fact>
          ),
        )}
        <Fact name={fields.subject}>
          {header.subject === '' ? <Missing /> : <bdi>{visibleText(header.subject)}</bdi>}
        </Fact>
        <Fact name={fields.date}>{header.date === null ? <Missing /> : <bdi>{visibleName(header.date)}</bdi>}</Fact>
        <Fact name={fields.messageId}>
          {header.messageId === null ? <Missing /> : <bdi className="mono">{visibleName(header.messageId)}</bdi>}
        </Fact>
        {header.program === null ? null : (
          <Fact name={fields.program}>
            <bdi>{visibleName(shortProgram(header.program) ?? '')}</bdi>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Missing() {
  return <span className="muted">{texts.missingField}</span>;
}

interface PeopleListProps {
  readonly people: readonly JourneyPerson[];
  /** What is said of those that the envelope has not. */
  readonly difference: string;
}

function PeopleList({ people, difference }: PeopleListProps) {
  if (people.length === 0) return <Missing />;
  return (
    <ul className="people">
      {people.slice(0, SHOWN).map((person, index) => (
        <li key={index}>
          <Person person={person} />
          {person.inEnvelope === false && difference !== '' ? <Differs>{difference}</Differs> : null}
        </li>
      ))}
      {people.length <= SHOWN ? null : <li className="muted">{texts.moreAddresses(people.length - SHOWN)}</li>}
    </ul>
  );
}

function OctetsCard({ octets, id }: { readonly octets: JourneyOctets; readonly id: string }) {
  const { received, trace, sha256 } = octets;
  return (
    <section className="card" aria-labelledby="octets">
      <h3 id="octets">{texts.octets}</h3>
      <dl className="facts">
        <Fact name={texts.received}>
          {texts.count(received)} <span className="muted aside">{texts.receivedText}</span>
        </Fact>
        <Fact name={texts.trace}>
          {texts.count(trace)} <span className="muted aside">{texts.traceText}</span>
        </Fact>
        <Fact name={texts.together}>
          {texts.count(received + trace)} <span className="muted aside">{texts.togetherText}</span>
        </Fact>
        {sha256 === null ? null : (
          <Fact name={texts.sha256}>
            <code className="digest">{sha256.match(/.{8}/g)!.join(' ')}</code>
            <span className="muted aside">
              {texts.sha256Text} <CopyButton text={sha256} label={texts.copySha256} className="tool small" />
            </span>
          </Fact>
        )}
      </dl>
      <Link to={`/mail/${encodeURIComponent(id)}?view=source`}>{texts.source}</Link>
    </section>
  );
}
