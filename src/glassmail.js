#!/usr/bin/env node
// The `glassmail` command. Plain JavaScript, so that a Node that is too old is told so in one line.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `glassmail needs Node 24 or newer; this is Node ${process.versions.node}. In a checkout, use npx glassmail or npm start: they bring their own.`,
  );
  process.exit(1);
}
// A checkout runs the TypeScript as it stands, the npm package what `npm run build` has made of it.
const isCheckout = existsSync(new URL('./main.ts', import.meta.url));
if (isCheckout) {
  // Node strips the types of each file once and keeps the result: the next start takes half the time and 40 MiB less.
  const { enableCompileCache } = await import('node:module');
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/glassmail', import.meta.url)); // for threads
  enableCompileCache(process.env.NODE_COMPILE_CACHE);
}
// V8 would let the young generation of every thread grow to 128 MiB, and as much of octets that are no longer used, before
// it looks for garbage. What a session makes is short-lived: with 16 and 8 MiB, and 32 of octets, it takes 60 to 140 MiB
// less under load, and a third less time for large messages. The sizes are for threads that start later; this one is held
// where it is once it has grown so far.
const { getHeapSpaceStatistics, setFlagsFromString } = await import('node:v8');
const { PerformanceObserver } = await import('node:perf_hooks');
setFlagsFromString('--min-semi-space-size=4');
setFlagsFromString('--max-semi-space-size=4');
if (major === 24) setFlagsFromString('--scavenger-max-new-space-capacity-mb=4'); // not an option of Node: later ones may lack it
const collections = new PerformanceObserver(() => {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  if (young === undefined || young.space_size < 16 * 1024 * 1024) return;
  setFlagsFromString('--semi-space-growth-factor=1');
  collections.disconnect();
});
collections.observe({ entryTypes: ['gc'] });
const { main } = await import(isCheckout ? './main.ts' : '../dist/main.js');
process.exitCode = await main(process.argv.slice(2));
