import { wireTexts } from '../wire-texts.ts';

export interface HexOctet {
  /** Undefined: hidden. */
  readonly value: number | undefined;
  /** Which field it belongs to. */
  readonly part: number | undefined;
}

const PER_ROW = 16;

interface HexDumpProps {
  readonly octets: readonly HexOctet[];
  /** The field that is marked. */
  readonly chosen: number | undefined;
  readonly choose: (part: number | undefined) => void;
}

/** Offsets, octets, characters. A click on an octet chooses its field; by the keyboard the list of fields does the same. */
export function HexDump({ octets, chosen, choose }: HexDumpProps) {
  const rows = Array.from({ length: Math.ceil(octets.length / PER_ROW) }, (_, row) =>
    octets.slice(row * PER_ROW, (row + 1) * PER_ROW),
  );
  const look = ({ part, value }: HexOctet): string | undefined => {
    const classes = [
      ...(part !== undefined && part === chosen ? ['chosen'] : []),
      ...(value === undefined ? ['veil'] : []),
    ];
    return classes.length === 0 ? undefined : classes.join(' ');
  };
  return (
    // It scrolls where it is narrow, so the keyboard must reach it.
    <pre className="hex" tabIndex={0} aria-label={wireTexts.drawer.octets}>
      {rows.map((row, index) => (
        <span className="hex-row" key={index}>
          <span className="offset">{(index * PER_ROW).toString(16).padStart(4, '0')}</span>
          {'  '}
          {row.map((octet, at) => (
            <span key={at} className={look(octet)} onClick={() => choose(octet.part)}>
              {octet.value === undefined ? '••' : octet.value.toString(16).padStart(2, '0')}
              {at === PER_ROW / 2 - 1 ? '  ' : ' '}
            </span>
          ))}
          {' '.repeat(3 * (PER_ROW - row.length) + (row.length < PER_ROW / 2 ? 1 : 0))}{' '}
          {row.map((octet, at) => (
            <span key={at} className={look(octet)} onClick={() => choose(octet.part)}>
              {characterOf(octet)}
            </span>
          ))}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function characterOf({ value }: HexOctet): string {
  if (value === undefined) return '•';
  return value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : '.';
}
