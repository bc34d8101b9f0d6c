import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';

/** On every page while rules make something go wrong: nobody should look for the mistake elsewhere. */
export function FaultBanner() {
  const faults = useAppState(({ status }) => status?.faults ?? 0);
  if (faults === 0) return null;
  return (
    <Link className="fault-banner" to="/settings/faults" title={texts.faults.long(faults)}>
      <Icon name="warning" />
      <span className="word">{texts.faults.short(faults)}</span>
    </Link>
  );
}
