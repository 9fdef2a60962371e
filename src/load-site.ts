// Finds a site by its folder in src/routes/: nothing has to be registered anywhere.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { SurefootError } from './core/errors.ts';
import type { Site } from './core/site.ts';

const ROUTES = new URL('routes/', import.meta.url);
/** Paths of messages begin here. */
const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** `.ts` as it stands here, `.js` after a build. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** @param name The folder's name, as `--site` takes it.
 *  @throws {SurefootError} kind `input`: no such folder; kind `site`: it cannot be loaded, exports no `site`, or one of
 *  another name. What the site's own code throws is thrown as it is. */
export async function loadSite(name: string): Promise<Site> {
  const folders = readdirSync(fileURLToPath(ROUTES), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!folders.some((folder) => folder.name === name)) {
    const known = folders.map((folder) => folder.name).join(', ');
    throw new SurefootError(
      'input',
      `--site must be a folder in src/routes/ (${known}), got "${name}". Copy src/routes/hackernews to begin.`,
    );
  }
  const index = new URL(`${name}/index${EXTENSION}`, ROUTES);
  if (!existsSync(fileURLToPath(index)))
    throw new SurefootError(
      'site',
      `src/routes/${name}/ has no index.ts that exports a site. Copy src/routes/hackernews to begin.`,
    );
  const module = (await import(pathToFileURL(fileURLToPath(index)).href).catch((error: unknown) => {
    throw explain(name, error);
  })) as { site?: Site };
  if (!module.site)
    throw new SurefootError('site', `src/routes/${name}/index.ts must export \`site\`: export const site = defineSite({ ... }).`);
  if (module.site.name !== name) {
    throw new SurefootError(
      'site',
      `The site in src/routes/${name}/ calls itself "${module.site.name}"; its name is its folder's, "${name}".`,
    );
  }
  return module.site;
}

/** A sentence for what a person can mend in a site's files, with the file and, where it is known, the line. What the site's
 *  own code has thrown keeps its stack, which says most. */
function explain(name: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const own = OWN_FRAME.exec(error.stack ?? '')?.[1];
  if (error instanceof SurefootError) return own === undefined ? error : at(own, error);
  if (own !== undefined) return error;
  const text = textOf(error);
  if (text === null) return error;
  // Paths of the project's begin at its root.
  const short = text.replaceAll(pathToFileURL(ROOT).href, '').replaceAll(ROOT, '');
  return new SurefootError('site', `src/routes/${name}/ cannot be loaded: ${short}`, { cause: error });
}

/** `src/routes/bookshop/index.ts:7` in a stack. */
const OWN_FRAME = /^\s+at .*[\\/](src[\\/]routes[\\/].+?:\d+):\d+\)?$/m;

function at(where: string, error: SurefootError): SurefootError {
  return new SurefootError(error.kind, `${error.message.replace(`[${error.kind}] `, '')} (${where})`, { cause: error });
}

/** What Node or esbuild say of a file that they cannot load; null if it is none of that. */
function textOf(error: Error): string | null {
  const { name, message, stack = '' } = error;
  if (name === 'TransformError') {
    const [, where, what] = /\n(.+?:\d+):\d+: ERROR: (.+)/.exec(message) ?? [];
    return where === undefined ? message : `${what} (${where})`;
  }
  // One that a module's own text has; its place comes before it in the stack.
  if (error instanceof SyntaxError) return `${message} (${/^(.+:\d+)\n/.exec(stack)?.[1] ?? 'one of its files'})`;
  return 'code' in error && UNRESOLVED.test(String(error.code)) ? message : null;
}

// https://nodejs.org/api/esm.html#resolution-algorithm-specification
const UNRESOLVED =
  /^ERR_(MODULE_NOT_FOUND|UNSUPPORTED_DIR_IMPORT|UNKNOWN_FILE_EXTENSION|INVALID_(MODULE|PACKAGE)_\w+|PACKAGE_\w+_NOT_\w+)$/;
