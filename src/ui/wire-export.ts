/** Conversations as files. */
import { conversationExport, wordsOf } from './api.ts';
import { tell } from './state.ts';
import { wireTexts } from './wire-texts.ts';

export type ExportFormat = 'text' | 'json' | 'fixture' | 'pcapng';

/** How many are asked for at the same time. */
const AT_ONCE = 4;
const ENDINGS = { text: 'txt', json: 'json', fixture: 'md', pcapng: 'pcapng' } as const;

/** Several in one file: texts follow one another, JSON is a list, and pcapng is made to be appended (its §3.1). */
export async function exportConversations(ids: readonly string[], format: ExportFormat): Promise<void> {
  const files = new Map<string, Blob>();
  const waiting = [...ids];
  let gone = 0;
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const file = await conversationExport(id, format);
      if (file) files.set(id, file);
      else gone++;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    tell('failed', wordsOf(error));
    return;
  }
  // In the order of the list.
  const parts = ids.flatMap((id) => files.get(id) ?? []);
  save(new Blob(joined(parts, format)), `conversations.${ENDINGS[format]}`);
  tell('done', wireTexts.exports.done(parts.length, gone));
}

function joined(parts: readonly Blob[], format: ExportFormat): BlobPart[] {
  switch (format) {
    case 'json':
      return ['[\n', ...parts.flatMap((part, index) => (index === 0 ? [part] : [',\n', part])), '\n]\n'];
    case 'text':
    case 'fixture':
      return parts.flatMap((part, index) => (index === 0 ? [part] : ['\n', part]));
    case 'pcapng':
      return [...parts];
  }
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has taken it by the next turn; a minute is for slow ones.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
