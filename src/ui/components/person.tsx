import type { Address } from '../../http/schemas/common.ts';
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

export function People({ people }: { readonly people: readonly Address[] }) {
  return people.map((person, index) => (
    <span className="person" key={index}>
      <Person person={person} />
      {index < people.length - 1 ? ', ' : ''}
    </span>
  ));
}
