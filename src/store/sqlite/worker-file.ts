/**
 * Where the files beside this one lie: threads and SQL. A checkout runs the TypeScript as it stands; a built package
 * holds JavaScript of the same names, since Node strips no types under node_modules.
 */
import { setFlagsFromString } from 'node:v8';

// Node 24 strips types with WebAssembly. When two threads do so at once and their wrappers, after a thousand calls, are
// compiled anew, V8 may free what the other uses (in Runtime_TierUpWasmToJSWrapper) and the process is gone: so never anew.
setFlagsFromString('--wasm-wrapper-tiering-budget=2147483647');

/** @param name of a thread's file in this folder, without its ending */
export function workerFile(name: string): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${ending}`, import.meta.url);
}

/** @param name of a text file or folder below this folder */
export function textFile(name: string): URL {
  return new URL(`./${name}`, import.meta.url);
}
