/**
 * Where the files beside this one lie: threads and SQL. A checkout runs the TypeScript as it stands; a built package
 * holds JavaScript of the same names, since Node strips no types under node_modules.
 */

/** @param name of a thread's file in this folder, without its ending */
export function workerFile(name: string): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${ending}`, import.meta.url);
}

/** @param name of a text file or folder below this folder */
export function textFile(name: string): URL {
  return new URL(`./${name}`, import.meta.url);
}
