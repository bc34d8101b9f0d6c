import { Fragment } from 'react';
import { choose, usePreferences } from '../preferences.ts';
import { state, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';

export function HelpDialog() {
  const isOpen = useAppState(({ help }) => help);
  return isOpen ? <Help close={() => state.update({ help: false })} /> : null;
}

function Help({ close }: { readonly close: () => void }) {
  const { shortcuts } = usePreferences();
  const { help } = texts;
  return (
    <Dialog label={help.title} className="help" close={close}>
      <header>
        <h2>{help.title}</h2>
        <button type="button" className="tool" aria-label={texts.close} onClick={close} data-first>
          <Icon name="close" />
        </button>
      </header>
      <div className="help-columns">
        <section>
          <h3>{help.shortcuts}</h3>
          <dl className="keys">
            {help.keys.map(([keys, words]) => (
              <Fragment key={keys}>
                <dt>
                  <Keys keys={keys} />
                </dt>
                <dd>{words}</dd>
              </Fragment>
            ))}
          </dl>
          <label className="check">
            <input
              type="checkbox"
              checked={shortcuts}
              onChange={(event) => choose({ shortcuts: event.currentTarget.checked })}
            />
            {help.enabled}
          </label>
          <p className="small-print">{help.frame}</p>
        </section>
        <section>
          <h3>{help.search}</h3>
          <p>{help.searchIntro}</p>
          <Words words={help.searchWords} />
          <h3>{help.filter}</h3>
          <p>{help.filterIntro}</p>
          <Words words={help.filterWords} />
          <p>
            <a href="/api/docs">{help.more}</a>
          </p>
          <p>
            <a href="/ca.crt" download>
              {help.authority}
            </a>
          </p>
        </section>
      </div>
    </Dialog>
  );
}

function Words({ words: all }: { readonly words: readonly (readonly [string, string])[] }) {
  return (
    <dl className="words">
      {all.map(([words, meaning]) => (
        <Fragment key={words}>
          <dt>
            <code>{words}</code>
          </dt>
          <dd>{meaning}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Keys({ keys }: { readonly keys: string }) {
  return keys.split(' ').map((key, index) => (
    <Fragment key={index}>
      {index > 0 ? <span className="then"> {texts.help.then} </span> : null}
      <kbd>{key}</kbd>
    </Fragment>
  ));
}
