// Finds a site by its folder in src/routes/: nothing has to be registered anywhere.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { SurefootError } from './core/errors.ts';
import type { Site } from './core/site.ts';

const ROUTES = new URL('routes/', import.meta.url);
/** `.ts` as it stands here, `.js` after a build. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** @param name The folder's name, as `--site` takes it.
 *  @throws {SurefootError} kind `input`: no such folder; kind `site`: it exports no `site`, or one of another name. */
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
  const module = (await import(pathToFileURL(fileURLToPath(new URL(`${name}/index${EXTENSION}`, ROUTES))).href)) as {
    site?: Site;
  };
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
