import { Icon } from '../components/icons.tsx';
import { useStore } from '../store.ts';
import { Composer } from './composer.tsx';
import { Log } from './log.tsx';
import type { Session } from './session.ts';
import { texts } from './texts.ts';
import { Tools } from './tools.tsx';

interface SessionViewProps {
  readonly session: Session;
  readonly account: string;
  readonly other: string;
  readonly explains: boolean;
  readonly setExplains: (explains: boolean) => void;
  readonly renew: () => void;
}

/** The log of a session, and below it where one writes. */
export function SessionView({ session, account, other, explains, setExplains, renew }: SessionViewProps) {
  const phase = useStore(session.store, (state) => state.phase);
  const fill = (template: string): string =>
    template.replaceAll('‹account›', account).replaceAll('‹other›', other).replaceAll('‹name›', 'me');
  return (
    <div className="console-session">
      <Header session={session} explains={explains} setExplains={setExplains} renew={renew} />
      <Log session={session} explains={explains} />
      <Composer session={session} fill={fill} />
      {phase === 'ended' ? null : <Tools session={session} account={account} other={other} />}
    </div>
  );
}

type HeaderProps = Pick<SessionViewProps, 'session' | 'explains' | 'setExplains' | 'renew'>;

function Header({ session, explains, setExplains, renew }: HeaderProps) {
  const standing = useStore(session.store, (state) => state.standing);
  const conversation = useStore(session.store, (state) => state.conversation);
  const phase = useStore(session.store, (state) => state.phase);
  const opened = useStore(session.store, (state) => state.opened);
  const offersTls =
    standing?.secure === false &&
    standing.expects.type === 'command' &&
    (session.service === 'pop3'
      ? standing.state === 'authorization'
      : session.service === 'imap'
        ? standing.state === 'not-authenticated'
        : standing.announced?.includes('STARTTLS') === true);
  return (
    <div className="session-header">
      <p className="session-state">
        {standing?.secure ? (
          <span className="tls">
            <Icon name="lock" />
            TLS
          </span>
        ) : (
          <span className="clear">
            <Icon name="unlock" />
            {texts.tls.later.split(',')[0]}
          </span>
        )}
        {opened ? <span>{`${opened.service} ${opened.port}`}</span> : null}
        <span>
          <span className="visually-hidden">{texts.state}: </span>
          {phase === 'ended' ? texts.states.over : (texts.states[standing?.state ?? ''] ?? texts.connecting)}
          {standing?.mailbox ? ` · ${standing.mailbox}` : ''}
        </span>
      </p>
      <div className="session-buttons">
        {offersTls ? (
          <button type="button" className="button small" onClick={() => session.startTls()}>
            <Icon name="lock" />
            {texts.startTls}
          </button>
        ) : null}
        <button type="button" className={`button small${phase === 'ended' ? ' primary' : ''}`} onClick={renew}>
          {texts.newSession}
        </button>
        {conversation === undefined ? null : (
          // In a tab of its own: the session ends with this page.
          <a
            className="button small"
            href={`/wire/${conversation}`}
            target="_blank"
            rel="noreferrer"
            aria-label={texts.wireLabel}
          >
            <Icon name="wire" />
            {texts.wire}
          </a>
        )}
        <label className="check">
          <input type="checkbox" checked={explains} onChange={(event) => setExplains(event.target.checked)} />
          {texts.explanations}
        </label>
      </div>
    </div>
  );
}
