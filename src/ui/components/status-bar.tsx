import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { hasProblem } from '../conversation-filter.ts';
import { isMail } from '../wire.ts';
import { Link } from './link.tsx';

export function StatusBar() {
  const status = useAppState((state) => state.status);
  const total = useAppState((state) => state.total);
  const conversations = useAppState((state) => state.conversations.rows);
  const mail = conversations.filter(isMail);
  const open = mail.filter(({ closed }) => closed === null).length;
  const problems = mail.filter(hasProblem).length;
  return (
    <footer className="status" aria-label={texts.status.label}>
      {status === undefined ? null : (
        <>
          <Link to="/wire">{texts.status.open(open)}</Link>
          {problems === 0 ? null : (
            <Link className="warn" to="/wire?q=has:problem">
              {texts.status.problems(problems)}
            </Link>
          )}
          <span>{texts.status.stored(total, status.counts.octets)}</span>
          {status.counts.unindexed === 0 ? null : <span>{texts.status.indexing(status.counts.unindexed)}</span>}
          <span className="push">
            {status.mode === 'capture' ? texts.status.capture : texts.status.domain(status.domains)}
          </span>
          <a href="/api/docs">{texts.status.version(status.version)}</a>
        </>
      )}
    </footer>
  );
}
