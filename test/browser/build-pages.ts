/** Before the tests: the pages as they are in the checkout. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export default function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../src/ui/build.js')], { stdio: 'inherit' });
}
