import type { TextConfiguration } from '../../http/schemas/connect.ts';
import { Snippet } from './said.tsx';
import { texts } from './texts.ts';

/** A program that is set up by files, by a command, or by lines of code. */
export function TextFiles({ configuration }: { readonly configuration: TextConfiguration }) {
  const { authority, files, run, note } = configuration;
  const { files: said } = texts;
  // Not saved, but typed to the program once it runs.
  const typed = files.find(({ name }) => name === 'what-to-type.txt');
  return (
    <>
      <ol className="steps">
        {authority === null ? null : (
          <li>
            <p>{said.authority}</p>
            <Snippet text={authority} label={said.authority} />
          </li>
        )}
        {files
          .filter((file) => file !== typed)
          .map(({ name, text, secret }) => {
            const title = secret ? said.saveSecret(name) : said.save(name);
            return (
              <li key={name}>
                <p>{title}</p>
                <Snippet text={text.trimEnd()} label={title} />
              </li>
            );
          })}
        {run === null ? null : (
          <li>
            <p>{said.run}</p>
            <Snippet text={run} label={said.run} />
          </li>
        )}
        {typed === undefined ? null : (
          <li>
            <p>{said.type}</p>
            <Snippet text={typed.text.trimEnd()} label={said.type} />
          </li>
        )}
      </ol>
      {note === null ? null : <p className="note">{note}</p>}
    </>
  );
}
