import { deleteMessages, wordsOf } from '../api.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Facts } from '../components/facts.tsx';
import { loadStatus } from '../mail.ts';
import { state, tell, useAppState } from '../state.ts';
import { fetchSettings } from './api.ts';
import { useLoaded } from '../load.ts';
import { Shown } from './shown.tsx';
import { texts } from './texts.ts';

const words = texts.data;
const LOOK_MS = 5000;
const EXPORT = 'npx glassmail export ADDRESS FOLDER';

export function Data() {
  const loaded = useLoaded(fetchSettings, LOOK_MS);
  const counts = useAppState(({ status }) => status?.counts);
  const deleteAll = (): void => {
    const act = (): void =>
      void deleteMessages({ query: '', account: undefined }).then(
        ({ count }) => {
          tell('done', words.deleted(count));
          void loadStatus();
        },
        (error: unknown) => tell('failed', wordsOf(error)),
      );
    state.update({ question: { title: words.deleteTitle, text: words.deleteText, confirm: words.deleteAll, act } });
  };
  return (
    <>
      <Shown loaded={loaded}>
        {({ data, retention, recordOctets }) => (
          <Facts
            facts={[
              [words.held, counts ? words.messages(counts.transactions, counts.messages) : texts.loading],
              [words.size, counts ? words.sizes(counts.octets, counts.databaseOctets) : texts.loading],
              [words.folder, <code key="folder">{data.folder}</code>],
              [words.durability, words.durabilities[data.durability]],
              [
                words.retention,
                retention.messages === null && retention.ageMs === null
                  ? words.everything
                  : `${words.rules(retention.messages, retention.ageMs)}; ${words.removed(retention.removed)}`,
              ],
              [words.recording, words.recorded(recordOctets)],
            ]}
          />
        )}
      </Shown>
      <p className="small-print">{texts.byOption}</p>
      <h3>{words.export}</h3>
      <p>{words.exportIntro}</p>
      <p className="settings-command">
        <code>{EXPORT}</code>
        <CopyButton text={EXPORT} className="tool" label={`${words.export}: ${EXPORT}`} />
      </p>
      <h3>{words.deleteAll}</h3>
      <p>
        <button type="button" className="button danger" onClick={deleteAll}>
          {words.deleteAll}
        </button>
      </p>
    </>
  );
}
