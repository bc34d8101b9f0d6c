/** Loaded into a server before anything else (`node --import`): on SIGUSR2 it says how much it holds, in MiB. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    const mebibytes = (octets: number): string => (octets / 1024 / 1024).toFixed(1);
    process.stderr.write(`heap ${mebibytes(heapUsed)} ${mebibytes(external)}\n`);
  });
}
