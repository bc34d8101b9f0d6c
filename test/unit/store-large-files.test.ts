/** A file of a large message stays as long as somebody may be about to read it. */
import { access, mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { LargeFiles, realFileSystem } from '../../src/store/sqlite/large-files.ts';
import { temporaryFolder } from './store-temporary.ts';

async function oneFile(folder: string) {
  const files = new LargeFiles(folder, 'process', realFileSystem);
  await mkdir(files.folder, { recursive: true });
  const { name, handle } = await files.create();
  await files.finish(handle);
  const isThere = () =>
    access(files.path(name)).then(
      () => true,
      () => false,
    );
  return { files, name, isThere };
}
const log = (line: string): never => {
  throw new Error(line);
};

test('nobody reads: it goes at once', async () => {
  const folder = await temporaryFolder();
  const { files, name, isThere } = await oneFile(folder);
  files.reading()[Symbol.dispose]();
  files.removeLater([name], log);
  await files.settled();
  expect(await isThere()).toBe(false);
});

test('it goes with the last of those who read when it was removed, and waits for no others', async () => {
  const folder = await temporaryFolder();
  const { files, name, isThere } = await oneFile(folder);
  const [first, second] = [files.reading(), files.reading()];
  files.removeLater([name], log);
  const later = files.reading();
  first[Symbol.dispose]();
  expect(await isThere()).toBe(true);
  second[Symbol.dispose]();
  await files.settled();
  expect(await isThere()).toBe(false);
  later[Symbol.dispose]();
});

test('the store is closed while somebody reads', async () => {
  const folder = await temporaryFolder();
  const { files, name, isThere } = await oneFile(folder);
  const reader = files.reading();
  files.removeLater([name], log);
  await files.settled();
  expect(await isThere()).toBe(false);
  reader[Symbol.dispose]();
});
