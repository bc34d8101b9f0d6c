/** Serves the pages that `npm run build:ui` has made. Nothing outside their folder can be named: see `assetOf`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { bodyOf } from './content.ts';
import type { App } from './route.ts';

const compress = promisify(gzip);

const BUILT = join(import.meta.dirname, '../ui/dist');

/** What has an address of its own and survives a reload; the page's own router does the rest. */
const PAGES = /^\/(?:(?:mail|wire|connect|console|lessons|lab|settings)(?:\/.*)?)?$/;

/** Files that Vite names after their content are the same for ever. */
const HASHED = /^\/assets\/([\w-][\w.-]*\.([a-z0-9]+))$/;
const OTHER = /^\/([\w-]+\.(ico|svg|png|txt|webmanifest))$/;

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  json: 'application/json',
  map: 'application/json',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
};

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>glassmail: the pages are not built</title>
<h1>The pages are not built yet</h1>
<p>Run <code>npm run build:ui</code> in the checkout and load this page again.</p>
<p>Everything else works meanwhile: mail, and <a href="/api/docs">the API</a>.</p>
</html>
`;

export function addPages(app: App, folder: string = BUILT): void {
  const compressed = new Map<string, Buffer>();
  app.get('*', async (context, next) => {
    const { path } = context.req;
    if (PAGES.test(path)) return pageResponse(await fileOf(join(folder, 'index.html')));
    const asset = assetOf(path);
    const octets = asset && (await fileOf(join(folder, ...asset.names)));
    if (!octets) {
      await next();
      // A person who followed a wrong link gets the page that says so, with the way back; a program keeps its 404.
      const person = context.req.header('accept')?.includes('text/html') && !path.startsWith('/api/');
      if (person && context.res.status === 404)
        context.res = pageResponse(await fileOf(join(folder, 'index.html')), 404);
      return;
    }
    const headers: Record<string, string> = {
      'Content-Type': TYPES[asset.extension] ?? 'application/octet-stream',
      'Cache-Control': asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    const packs =
      /\bgzip\b/.test(context.req.header('accept-encoding') ?? '') && /^(?:js|css|svg|json)$/.test(asset.extension);
    if (!packs || !asset.immutable) return new Response(bodyOf(octets), { headers });
    let packed = compressed.get(path);
    if (!packed) {
      packed = await compress(octets);
      compressed.set(path, packed);
    }
    return new Response(bodyOf(packed), {
      headers: { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' },
    });
  });
}

function pageResponse(index: Buffer | undefined, status = 200): Response {
  return new Response(index ? bodyOf(index) : NOT_BUILT, {
    status: index ? status : 503,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' },
  });
}

interface Asset {
  readonly names: readonly string[];
  readonly extension: string;
  readonly immutable: boolean;
}

/** One file name without a slash in it, below one of two folders: no other path is ever opened. */
function assetOf(path: string): Asset | undefined {
  const hashed = HASHED.exec(path);
  if (hashed) return { names: ['assets', hashed[1]!], extension: hashed[2]!, immutable: true };
  const other = OTHER.exec(path);
  return other ? { names: [other[1]!], extension: other[2]!, immutable: false } : undefined;
}

async function fileOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch {
    return undefined;
  }
}
