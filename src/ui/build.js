/**
 * Builds the pages into `dist` with Vite, if anything that they are made of has changed: `npm start` runs this each time,
 * so an unchanged tree must cost next to nothing. Plain JavaScript, for it runs before anything is known to work.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const UI = import.meta.dirname;
const ROOT = join(UI, '../..');
const DIST = join(UI, 'dist');
/** Holds the hash of what `dist` was made from; its name cannot be asked for over HTTP. */
const STAMP = join(DIST, '.made-from');

/** @returns {string} a hash over everything that decides what the pages are */
function sourceHash() {
  const hash = createHash('sha256');
  const files = globSync('src/ui/**/*', { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(DIST));
  const schemas = globSync('src/http/schemas/*.ts', { cwd: ROOT }).map((file) => join(ROOT, file));
  const others = [...schemas.sort(), join(ROOT, 'package-lock.json')];
  for (const file of [...files.sort(), ...others]) {
    if (existsSync(file)) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

async function isCurrent(hash) {
  try {
    return (await readFile(STAMP, 'utf8')) === hash;
  } catch {
    return false;
  }
}

/**
 * The colour scheme that the reader chose must be known before the first pixel, and the policy of the pages permits no
 * script inside the document: so this small one is a file of its own that blocks, unlike modules.
 */
function earlyScript(name) {
  return {
    name: 'glassmail-early-script',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        const asset = Object.values(bundle ?? {}).find((file) => file.names?.includes(name));
        if (!asset) throw new Error(`${name} is not in the bundle`);
        return [{ tag: 'script', attrs: { src: `/${asset.fileName}` }, injectTo: 'head-prepend' }];
      },
    },
    async buildStart() {
      this.emitFile({ type: 'asset', name, source: await readFile(join(UI, name), 'utf8') });
    },
  };
}

async function build(hash) {
  // React takes its slow half for anything else, and a test's process says `test`.
  process.env.NODE_ENV = 'production';
  const { build: viteBuild } = await import('vite');
  // Beside the place of the finished one, so that a server that runs never sees a half.
  const folder = join(ROOT, 'node_modules/.cache', `glassmail-pages-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await viteBuild({
      configFile: false,
      root: UI,
      base: '/',
      mode: 'production',
      logLevel: 'warn',
      plugins: [earlyScript('early.js')],
      build: {
        outDir: folder,
        emptyOutDir: true,
        target: 'es2023',
        modulePreload: { polyfill: false },
        assetsInlineLimit: 0,
        reportCompressedSize: false,
      },
    });
    await writeFile(join(folder, basename(STAMP)), hash);
    const old = `${folder}-old`;
    await rename(DIST, old).catch(() => undefined);
    await rename(folder, DIST);
    await rm(old, { recursive: true, force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns {Promise<Record<string, number>>} octets of the first screen after gzip, by file extension */
export async function builtSizes() {
  const sizes = {};
  const document = await readFile(join(DIST, 'index.html'), 'utf8');
  for (const [, name, extension] of document.matchAll(/\/(assets\/[\w.-]+\.(js|css))/g)) {
    sizes[extension] = (sizes[extension] ?? 0) + gzipSync(await readFile(join(DIST, name))).length;
  }
  return sizes;
}

/** @returns {Promise<string>} one line about what was done */
export async function buildPages() {
  const hash = sourceHash();
  if (await isCurrent(hash)) return 'pages: nothing has changed';
  const begun = performance.now();
  await build(hash);
  const { js = 0, css = 0 } = await builtSizes();
  const kilobytes = (octets) => `${(octets / 1000).toFixed(1)} kB`;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  return `pages: built in ${seconds} s, ${kilobytes(js)} of JavaScript and ${kilobytes(css)} of CSS after gzip for the first screen`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await buildPages());
  } catch (error) {
    console.error('pages: cannot be built');
    console.error(error);
    process.exitCode = 1;
  }
}
