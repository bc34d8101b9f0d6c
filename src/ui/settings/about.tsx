import { Facts } from '../components/facts.tsx';
import { When } from '../components/time.tsx';
import { useAppState } from '../state.ts';
import { texts } from './texts.ts';

const words = texts.about;

export function About() {
  const status = useAppState((state) => state.status);
  return (
    <>
      <Facts
        facts={[
          [words.version, status?.version ?? texts.loading],
          [words.since, status === undefined ? texts.loading : <When key="since" at={status.startedAt} />],
          [words.licence, words.mit],
        ]}
      />
      <p className="settings-links">
        <a href="/api/docs">{words.api}</a>
        <a href="/metrics">{words.metrics}</a>
      </p>
      <h3>{words.libraries}</h3>
      <Facts facts={words.librariesList} />
    </>
  );
}
