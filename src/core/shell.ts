// Whether a page is an application's shell: scripts, an empty place for them to fill, and next to nothing to read.
import type { Outline } from './outline.ts';
import type { Dom } from './page.ts';

/** A shell may carry a cookie notice, a slogan or a footer. */
const MAX_TEXT = 250;
const MAX_LINKS = 10;
const MAX_IMAGES = 5;
/** A text of this length beside the mount point is not worth a second look. */
const MAX_ASIDE = 40;
/** A page of no more than this may be a notice that it needs scripts. */
const MAX_NOTICE = 120;

const MOUNTS = [
  '#app, #root, #__next, #__nuxt, #___gatsby, #react-root, #main-app, #q-app, #application, #svelte, #mount, #spa',
  '[id$="-app"], [id$="-root"], [id^="app-"], [id^="root-"], [id$="_app"], [id$="_root"], [id$="App"], [id$="Root"]',
  '[data-reactroot], [data-v-app], [ng-view], [ui-view], [ng-app]:empty, [data-ng-app]:empty',
  'app-root, app-shell, my-app, ion-app, ng-view, ui-view, router-outlet, router-view',
].join(', ');
// Places for a widget on any kind of page, not for the page itself.
const WIDGET_MOUNT = /^(?:fb|modal|portal|dialog|toast|tooltip|overlay|notification|popup|chat|consent|cookie)s?[-_]/i;

const NOTICE =
  /(?:enable|requires?|needs?|without|activate|turn on|activez|activer|aktivieren|habilit\w+|включите) (?:your )?(?:javascript|js)\b|javascript (?:is|to be)? ?(?:required|disabled|enabled|deaktiviert|désactivé)/i;
const LOADING =
  /^(?:please wait|loading|laden|lädt|wird geladen|chargement|cargando|carregando|caricamento|загрузка|加载中|読み込み中)?\W*(?:please wait|bitte warten)?\W*$/iu;

/** Whether only a browser gets to see what the page is about. A page that sends its reader elsewhere is none: what to make
 *  of a `<meta http-equiv="refresh">` is for the site. Neither is a short page that says what it has to say. */
export function isShell($: Dom, page: Outline): boolean {
  if (page.long || page.scripts === 0 || page.redirects) return false;
  if (page.text.length > MAX_TEXT || page.links > MAX_LINKS || page.images > MAX_IMAGES) return false;
  if (page.entries > 0 || page.furniture > 0) return false;
  const mounts = $(MOUNTS).filter((_, element) => !WIDGET_MOUNT.test($(element).attr('id') ?? ''));
  if (mounts.length === 0) return page.scriptSources.length > 0 && isBare($, page);
  const empty = mounts.filter((_, element) => isUnfilled($, element));
  // A mount point that has been filled is a page that the server rendered, however short.
  if (empty.length === 0 || mounts.toArray().some((element) => isFilled($, element))) return false;
  return page.text.length <= MAX_ASIDE || NOTICE.test(page.noscript) || NOTICE.test(page.text) || !hasContent($);
}

type Element = Parameters<Dom>[0];

const SILENT = 'script, style, noscript, template';

/** Nothing in it, or no more than a sign that something is to come. */
function isUnfilled($: Dom, element: Element): boolean {
  const inside = textOf($, element);
  return LOADING.test(inside) || (inside.length <= MAX_TEXT && NOTICE.test(inside));
}

function isFilled($: Dom, element: Element): boolean {
  return !isUnfilled($, element);
}

function textOf($: Dom, element: Element): string {
  const copy = $(element as never).clone();
  copy.find(SILENT).remove();
  return copy.text().replaceAll(/\s+/g, ' ').trim();
}

/** A heading, a paragraph, an entry or a picture that somebody wrote. */
function hasContent($: Dom): boolean {
  const written = $('h1, h2, h3, p, li, td, blockquote, figcaption, pre').not(`${SILENT} *`);
  return written.toArray().some((element) => {
    const text = textOf($, element);
    return !LOADING.test(text) && !NOTICE.test(text) && !/^(?:©|\(c\)|copyright)/i.test(text);
  });
}

/** No mount point by a known name, yet scripts from elsewhere and nothing but empty boxes for them to fill. */
function isBare($: Dom, page: Outline): boolean {
  const noticed = NOTICE.test(page.text);
  if (!LOADING.test(page.text) && !(noticed && page.text.length <= MAX_NOTICE)) return false;
  if (page.links > 0 || page.images > 0) return false;
  return $('iframe, form, table, canvas').not(`${SILENT} *`).length === 0;
}
