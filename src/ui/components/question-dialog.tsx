import { state, useAppState } from '../state.ts';
import { texts } from '../texts.ts';
import { Dialog } from './dialog.tsx';

export function QuestionDialog() {
  const question = useAppState((shown) => shown.question);
  if (!question) return null;
  const close = (): void => state.update({ question: undefined });
  return (
    <Dialog label={question.title} className="question" close={close}>
      <form
        method="dialog"
        onSubmit={() => {
          close();
          question.act();
        }}
      >
        <h2>{question.title}</h2>
        <p>{question.text}</p>
        <p className="buttons">
          <button type="button" className="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" className="button danger" data-first>
            {question.confirm}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
