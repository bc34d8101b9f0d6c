import { type ComponentProps, type SubmitEvent, useId, useState } from 'react';
import type { Account } from '../../http/schemas/accounts.ts';
import { wordsOf } from '../api.ts';
import { Dialog } from '../components/dialog.tsx';
import { Problem } from '../components/problem.tsx';
import { When } from '../components/time.tsx';
import { loadAccounts } from '../mail.ts';
import { state, tell } from '../state.ts';
import { texts as app } from '../texts.ts';
import { addAccount, changePassword, changeQuota, deleteAccount, fetchAccountList } from './api.ts';
import { useLoaded } from '../load.ts';
import { Shown } from './shown.tsx';
import { texts } from './texts.ts';

const words = texts.accounts;
const MEGABYTE = 1024 * 1024;

type Editing = { readonly type: 'password' | 'quota'; readonly account: Account };

export function Accounts() {
  const loaded = useLoaded(fetchAccountList);
  const [editing, setEditing] = useState<Editing>();
  const changed = (text: string): void => {
    tell('done', text);
    setEditing(undefined);
    loaded.reload();
    void loadAccounts();
  };
  const remove = ({ address }: Account): void => {
    const act = (): void =>
      void deleteAccount(address).then(
        () => changed(words.removed(address)),
        (error: unknown) => tell('failed', wordsOf(error)),
      );
    const question = { title: words.removeTitle(address), text: words.removeText, confirm: words.remove, act };
    state.update({ question });
  };
  return (
    <>
      <p className="muted">{words.intro}</p>
      <Shown loaded={loaded}>
        {({ accounts }) => (
          <table className="settings-table">
            <thead>
              <tr>
                <th scope="col">{words.address}</th>
                <th scope="col">{words.mail}</th>
                <th scope="col">{words.limits}</th>
                <th scope="col">{words.created}</th>
                <th scope="col">
                  <span className="visually-hidden">{words.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {accounts.map((account) => (
                <AccountRow
                  key={account.address}
                  account={account}
                  edit={(type) => setEditing({ type, account })}
                  remove={() => remove(account)}
                />
              ))}
            </tbody>
          </table>
        )}
      </Shown>
      <AddAccount added={(address) => changed(words.added(address))} />
      {editing?.type === 'password' ? (
        <PasswordDialog {...editing} close={() => setEditing(undefined)} done={changed} />
      ) : null}
      {editing?.type === 'quota' ? (
        <QuotaDialog {...editing} close={() => setEditing(undefined)} done={changed} />
      ) : null}
    </>
  );
}

interface AccountRowProps {
  readonly account: Account;
  readonly edit: (type: Editing['type']) => void;
  readonly remove: () => void;
}

function AccountRow({ account: { address, createdAt, quota }, edit, remove }: AccountRowProps) {
  const limited = words.limit(quota.messageLimit, quota.octetLimit);
  return (
    <tr>
      <th scope="row">
        <bdi>{address}</bdi>
      </th>
      <td data-label={words.mail}>{words.holds(quota.messages, quota.octets)}</td>
      <td data-label={words.limits}>{limited === '' ? <span className="muted">{words.noLimit}</span> : limited}</td>
      <td data-label={words.created}>
        <When at={createdAt} />
      </td>
      <td>
        <div className="actions">
          <Action words={words.change} label={words.changeOf(address)} act={() => edit('password')} />
          <Action words={words.quota} label={words.quotaOf(address)} act={() => edit('quota')} />
          <Action words={words.remove} label={words.removeOf(address)} act={remove} />
        </div>
      </td>
    </tr>
  );
}

interface ActionProps {
  readonly words: string;
  /** With the account's name: a list of all buttons tells them apart. */
  readonly label: string;
  readonly act: () => void;
}

function Action({ words, label, act }: ActionProps) {
  return (
    <button type="button" className="button small" aria-label={label} onClick={act}>
      {words}
    </button>
  );
}

interface FieldProps extends Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'className'> {
  readonly words: string;
  readonly value: string;
  readonly change: (value: string) => void;
}

function Field({ words, change, ...input }: FieldProps) {
  return (
    <label>
      <span>{words}</span>
      <input className="field" onChange={(event) => change(event.target.value)} {...input} />
    </label>
  );
}

function AddAccount({ added }: { readonly added: (address: string) => void }) {
  const id = useId();
  const [address, setAddress] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    addAccount(address.trim(), password).then(
      () => {
        added(address.trim());
        setAddress('');
        setPassword('');
        setProblem(undefined);
      },
      (error: unknown) => setProblem(wordsOf(error)),
    );
  };
  return (
    <form className="settings-form" onSubmit={submit} aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{words.add}</h3>
      <div className="form-row">
        <Field
          words={words.address}
          value={address}
          change={setAddress}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        />
        <Field
          words={words.password}
          type="password"
          value={password}
          change={setPassword}
          autoComplete="new-password"
          aria-describedby={`${id}-hint`}
        />
        <button type="submit" className="button">
          {words.add}
        </button>
      </div>
      <p className="small-print" id={`${id}-hint`}>
        {words.noPassword}
      </p>
      <Problem words={problem} id={`${id}-problem`} />
    </form>
  );
}

interface EditProps {
  readonly account: Account;
  readonly close: () => void;
  readonly done: (text: string) => void;
}

function PasswordDialog({ account: { address }, close, done }: EditProps) {
  const [password, setPassword] = useState('');
  return (
    <EditDialog
      title={words.changeOf(address)}
      close={close}
      save={() => changePassword(address, password)}
      saved={() => done(words.changed(address))}
    >
      <Field
        words={words.newPassword}
        type="password"
        value={password}
        change={setPassword}
        autoComplete="new-password"
        required
        data-first
      />
    </EditDialog>
  );
}

function QuotaDialog({ account: { address, quota }, close, done }: EditProps) {
  const [messages, setMessages] = useState(quota.messageLimit === null ? '' : String(quota.messageLimit));
  const [megabytes, setMegabytes] = useState(
    quota.octetLimit === null ? '' : String(Math.ceil(quota.octetLimit / MEGABYTE)),
  );
  const limit = (given: string, unit: number): number | null => (given === '' ? null : Number(given) * unit);
  return (
    <EditDialog
      title={words.quotaOf(address)}
      close={close}
      save={() => changeQuota(address, { messages: limit(messages, 1), octets: limit(megabytes, MEGABYTE) })}
      saved={() => done(words.limited(address))}
    >
      <Field words={words.messages} type="number" min={0} value={messages} change={setMessages} data-first />
      <Field words={words.megabytes} type="number" min={0} value={megabytes} change={setMegabytes} />
      <p className="small-print">{words.emptyIsNone}</p>
    </EditDialog>
  );
}

interface EditDialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly save: () => Promise<void>;
  readonly saved: () => void;
  readonly children: React.ReactNode;
}

function EditDialog({ title, close, save, saved, children }: EditDialogProps) {
  const [problem, setProblem] = useState<string>();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    save().then(saved, (error: unknown) => setProblem(wordsOf(error)));
  };
  return (
    <Dialog label={title} className="question" close={close}>
      <form className="settings-form" onSubmit={submit}>
        <h2>{title}</h2>
        {children}
        <Problem words={problem} />
        <p className="buttons">
          <button type="button" className="button" onClick={close}>
            {app.cancel}
          </button>
          <button type="submit" className="button">
            {words.save}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
