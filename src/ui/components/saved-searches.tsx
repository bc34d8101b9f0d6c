import { type SubmitEvent, useState } from 'react';
import { mailTexts } from '../mail-texts.ts';
import { usePlace } from '../router.ts';
import { forgetSearch, saveSearch, searchOf, useSavedSearches } from '../saved-searches.ts';
import { texts } from '../texts.ts';
import { visibleText } from '../visible-text.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
import { Link } from './link.tsx';

/** Searches under the accounts, and the one that is shown to be put among them. @param chosen called when one is opened */
export function SavedSearches({ chosen }: { readonly chosen?: (() => void) | undefined }) {
  const { query } = usePlace();
  const saved = useSavedSearches();
  const [isSaving, setSaving] = useState(false);
  const current = searchOf(query);
  const isNew = current !== undefined && !saved.some((search) => search.query === current);
  if (saved.length === 0 && !isNew) return null;
  return (
    <section aria-labelledby="saved-searches">
      <h2 id="saved-searches" className="pane-label">
        {mailTexts.searches.title}
      </h2>
      <ul>
        {saved.map((search) => (
          <li key={search.name} className="saved-search">
            <Link
              className="account"
              to={`/mail?${search.query}`}
              title={new URLSearchParams(search.query).get('q') ?? undefined}
              aria-current={search.query === current ? 'true' : undefined}
              onClick={chosen}
            >
              <Icon name="search" />
              <span className="account-name">
                <bdi>{visibleText(search.name)}</bdi>
              </span>
            </Link>
            <button
              type="button"
              className="tool small"
              aria-label={mailTexts.searches.forget(search.name)}
              title={mailTexts.searches.forget(search.name)}
              onClick={() => forgetSearch(search.name)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {isNew ? (
        <button type="button" className="button small plain" onClick={() => setSaving(true)}>
          {mailTexts.searches.save}
        </button>
      ) : null}
      {isSaving && current !== undefined ? (
        <SaveDialog query={current} words={query.get('q') ?? ''} close={() => setSaving(false)} />
      ) : null}
    </section>
  );
}

interface SaveDialogProps {
  readonly query: string;
  readonly words: string;
  readonly close: () => void;
}

function SaveDialog({ query, words, close }: SaveDialogProps) {
  const [name, setName] = useState(words.slice(0, 100));
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    saveSearch({ name: name.trim(), query });
    close();
  };
  return (
    <Dialog label={mailTexts.searches.saveTitle} className="question" close={close}>
      <form onSubmit={submit}>
        <h2>{mailTexts.searches.saveTitle}</h2>
        <label className="labelled">
          {mailTexts.searches.name}
          <input
            className="field"
            type="text"
            autoComplete="off"
            spellCheck={false}
            maxLength={100}
            pattern=".*\S.*"
            required
            data-first
            aria-describedby="saved-search-hint"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <p id="saved-search-hint" className="small-print">
          {mailTexts.searches.hint}
        </p>
        <p className="buttons">
          <button type="button" className="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" className="button primary">
            {mailTexts.searches.confirm}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
