/**
 * Loaded into a server before anything else (`node --import`): on SIGUSR2 the thread that writes is sent what it cannot
 * bear, and dies of it as it would of any fault of ours.
 */
import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread, type WorkerOptions } from 'node:worker_threads';

class BreakableWorker extends threads.Worker {
  constructor(file: string | URL, options?: WorkerOptions) {
    super(file, options);
    if (options?.name === 'store-writer') process.on('SIGUSR2', () => this.postMessage({}));
  }
}

if (isMainThread) {
  threads.Worker = BreakableWorker;
  syncBuiltinESMExports();
}
