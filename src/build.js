/**
 * `npm run build`: what the npm package holds, in `dist`: JavaScript and types of everything but the pages, the SQL and
 * the lessons that lie beside it, and the built pages. Node strips no types under node_modules, so a package cannot be the checkout.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildPages } from './ui/build.js';

const SRC = import.meta.dirname;
const DIST = join(SRC, '../dist');

console.log(await buildPages());
rmSync(DIST, { recursive: true, force: true });
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(SRC, 'tsconfig.build.json')], { stdio: 'inherit' });
for (const name of globSync(['**/*.sql', 'lessons/*.md'], { cwd: SRC })) {
  mkdirSync(dirname(join(DIST, name)), { recursive: true });
  copyFileSync(join(SRC, name), join(DIST, name));
}
cpSync(join(SRC, 'ui/dist'), join(DIST, 'ui/dist'), { recursive: true });
