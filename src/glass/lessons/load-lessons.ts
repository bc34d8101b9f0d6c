/** The lessons that there are: those that come with the server, and those in the `lessons` folder of its data. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BadLesson, type Lesson } from './lesson.ts';

export interface LessonProblem {
  readonly id: string;
  /** `lessons/NAME.md`. */
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Lessons {
  /** In the order of their files. */
  readonly lessons: readonly Lesson[];
  readonly problems: readonly LessonProblem[];
}

const OWN = join(import.meta.dirname, '../../lessons');

type Read = { readonly lesson: Lesson } | { readonly problem: LessonProblem };

/** What was read of each file, as long as it has not changed. */
const known = new Map<string, { readonly changed: number; readonly read: Read }>();

/** @param folders later ones come after the first; one that is not there has none. Those that come with the server are first. */
export async function loadLessons(folders: readonly string[] = [], own: string = OWN): Promise<Lessons> {
  const files = (await Promise.all([own, ...folders].map(filesOf))).flat();
  const all = await Promise.all(files.map(readLesson));
  const lessons = new Map<string, Lesson>();
  const problems: LessonProblem[] = [];
  all.forEach((read, index) => {
    if ('problem' in read) problems.push(read.problem);
    else if (lessons.has(read.lesson.id)) {
      const message = `there is another lesson ${read.lesson.id}: give the file another name`;
      problems.push({ id: read.lesson.id, file: shownName(files[index]!), line: 1, message });
    } else lessons.set(read.lesson.id, read.lesson);
  });
  return { lessons: [...lessons.values()], problems };
}

/** Where the folder lies is nobody's business. */
const shownName = (file: string): string => `lessons/${basename(file)}`;

async function filesOf(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /^[\w-]+\.md$/.test(name) && name !== 'README.md')
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

async function readLesson(file: string): Promise<Read> {
  const id = /([\w-]+)\.md$/.exec(file)![1]!.replace(/^\d+-/, '').toLowerCase();
  try {
    const { mtimeMs: changed } = await stat(file);
    const before = known.get(file);
    if (before?.changed === changed) return before.read;
    // Its library is not for the start.
    const { parseLesson } = await import('./parse-lesson.ts');
    const read = parsed(id, file, await readFile(file, 'utf8'), parseLesson);
    known.set(file, { changed, read });
    return read;
  } catch (error) {
    return { problem: { id, file: shownName(file), line: 1, message: `cannot be read: ${(error as Error).message}` } };
  }
}

function parsed(id: string, file: string, text: string, parse: (id: string, text: string) => Lesson): Read {
  try {
    return { lesson: parse(id, text) };
  } catch (error) {
    if (!(error instanceof BadLesson)) throw error;
    return { problem: { id, file: shownName(file), line: error.line, message: error.message } };
  }
}
