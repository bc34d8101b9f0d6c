import { useLessonsFinished } from '../lessons-finished.ts';
import { usePlace } from '../router.ts';
import { useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { formatCount } from '../format.ts';
import { isMail } from '../wire.ts';
import { type IconName, Icon } from './icons.tsx';
import { Link } from './link.tsx';

const PAGES = [
  { name: 'mail', to: '/mail', icon: 'mail' },
  { name: 'wire', to: '/wire', icon: 'wire' },
  { name: 'connect', to: '/connect', icon: 'connect' },
  { name: 'console', to: '/console', icon: 'console' },
  { name: 'lessons', to: '/lessons', icon: 'lessons' },
  { name: 'settings', to: '/settings', icon: 'settings' },
] as const satisfies readonly { readonly name: string; readonly to: string; readonly icon: IconName }[];

/** More has no room; its words say all of it. */
const MOST = 999;

export function Rail() {
  const { route } = usePlace();
  const unread = useAppState((state) => state.unread);
  const open = useAppState(
    ({ conversations }) => conversations.rows.filter((row) => row.closed === null && isMail(row)).length,
  );
  const lessons = useLessonsFinished();
  const badges: Partial<
    Record<(typeof PAGES)[number]['name'], { readonly text: string; readonly words: string } | undefined>
  > = {
    mail:
      unread > 0
        ? { text: unread > MOST ? `${MOST}+` : formatCount(unread), words: texts.rail.unread(unread) }
        : undefined,
    lessons:
      lessons.of > 0
        ? {
            text: `${formatCount(lessons.done)}/${formatCount(lessons.of)}`,
            words: texts.rail.lessons(lessons.done, lessons.of),
          }
        : undefined,
    wire: open > 0 ? { text: formatCount(open), words: texts.rail.open(open) } : undefined,
  };
  return (
    <nav className="rail" aria-label={texts.rail.label}>
      {PAGES.map(({ name, to, icon }) => (
        <Link
          key={name}
          to={to}
          aria-current={(route.name === 'journey' ? 'mail' : route.name) === name ? 'page' : undefined}
        >
          <Icon name={icon} />
          <span className="word">{texts.pages[name]}</span>
          {badges[name] ? (
            <span className={`badge ${name}`}>
              <span aria-hidden="true">{badges[name].text}</span>
              <span className="visually-hidden">{badges[name].words}</span>
            </span>
          ) : null}
        </Link>
      ))}
    </nav>
  );
}
