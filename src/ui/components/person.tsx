import { useState } from 'react';
import type { Address } from '../../http/schemas/common.ts';
import { texts } from '../texts.ts';
import { visibleName } from '../visible-text.ts';

/** A name and an address, each apart from the direction of what stands around it. */
export function Person({ person }: { readonly person: Address }) {
  const { name, address } = person;
  if (name === '') return <AddressText address={address} />;
  return (
    <>
      <bdi className="name">{visibleName(name)}</bdi>{' '}
      <span className="address">
        &lt;
        <AddressText address={address} />
        &gt;
      </span>
    </>
  );
}

export function AddressText({ address }: { readonly address: string }) {
  return <bdi>{visibleName(address)}</bdi>;
}

/** So many are shown at first: what follows them shall not be far away. One more would take as much room as its button. */
const FIRST = 10;

export function People({ people }: { readonly people: readonly Address[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole || people.length <= FIRST + 1 ? people : people.slice(0, FIRST);
  return (
    <>
      {shown.map((person, index) => (
        <span className="person" key={index}>
          <Person person={person} />
          {index < people.length - 1 ? ', ' : ''}
        </span>
      ))}
      {shown.length === people.length ? null : (
        <button type="button" className="button small plain" onClick={() => setWhole(true)}>
          {texts.message.morePeople(people.length - shown.length)}
        </button>
      )}
    </>
  );
}
