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
/** A shell is small. Parsed pages can be as deep as they are long, so they are walked, not searched. */
const MAX_NODES = 10_000;

const MOUNT_ID = /^(?:__next|__nuxt|___gatsby|application|svelte|mount|spa)$|(?:^|[-_])(?:app|root)(?:[-_]|$)|[a-z](?:App|Root)$/;
// Places for a widget on any kind of page, not for the page itself; the last ones speak of a shop's app.
const WIDGET_ID =
  /^(?:fb|modal|portal|dialog|toast|tooltip|overlay|notification|popup|chat|consent|cookie)s?[-_]|^whats-?app|(?:^|[-_])app[-_](?:promo|banner|store|download|install|badge|link)/i;
const MOUNT_NAMES = new Set(['app-root', 'app-shell', 'my-app', 'ion-app', 'ng-view', 'ui-view', 'router-outlet', 'router-view']);
const MOUNT_ATTRIBUTES = ['data-reactroot', 'data-v-app', 'ng-view', 'ui-view'];

const SILENT = new Set(['script', 'style', 'noscript', 'template', 'title']);
const WRITTEN = new Set(['h1', 'h2', 'h3', 'p', 'li', 'td', 'blockquote', 'figcaption', 'pre']);
const OCCUPIED = new Set(['iframe', 'form', 'table', 'canvas']);

const NOTICE =
  /(?:enable|requires?|needs?|without|activate|turn on|activez|activer|aktivieren|habilit\w+|включите) (?:your )?(?:javascript|js)\b|javascript (?:is|to be)? ?(?:required|disabled|enabled|deaktiviert|désactivé)/i;
const LOADING =
  /^(?:please wait|loading|laden|lädt|wird geladen|chargement|cargando|carregando|caricamento|загрузка|加载中|読み込み中)?\W*(?:please wait|bitte warten)?\W*$/iu;
const COPYRIGHT = /^(?:©|\(c\)|copyright)/i;

/** Whether only a browser gets to see what the page is about. A page that sends its reader elsewhere is none: what to make
 *  of a `<meta http-equiv="refresh">` is for the site. Neither is a short page that says what it has to say. */
export function isShell($: Dom, page: Outline): boolean {
  if (!mayBeShell(page)) return false;
  const body = survey($);
  if (body === null) return false;
  if (body.mounts.length === 0) {
    // No place by a known name, yet scripts from elsewhere and nothing but empty boxes for them to fill.
    const says = LOADING.test(page.text) || (page.text.length <= MAX_NOTICE && NOTICE.test(page.text));
    return says && page.scriptSources.length > 0 && page.links === 0 && page.images === 0 && !body.occupied;
  }
  // A mount point that has been filled is a page that the server rendered, however short.
  if (!body.mounts.every(isUnfilled)) return false;
  if (page.text.length <= MAX_ASIDE || NOTICE.test(page.noscript) || NOTICE.test(page.text)) return true;
  return body.written.every((text) => isUnfilled(text) || COPYRIGHT.test(text));
}

/** What the outline alone says of it: only a page for which this holds has to be parsed. */
export function mayBeShell(page: Outline): boolean {
  if (page.long || page.scripts === 0 || page.redirects) return false;
  if (page.text.length > MAX_TEXT || page.links > MAX_LINKS || page.images > MAX_IMAGES) return false;
  return page.entries === 0 && page.furniture === 0;
}

/** Nothing in it, or no more than a sign that something is to come. */
function isUnfilled(text: string): boolean {
  return LOADING.test(text) || NOTICE.test(text);
}

/** A node as htmlparser2 and parse5 both build it. */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly attribs?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly children?: readonly Node[];
}

interface Place {
  readonly mount: boolean;
  text: string;
}

/** The text in each mount point and in each heading, paragraph or entry beside them; null for a page of too many nodes. */
function survey($: Dom): { mounts: string[]; written: string[]; occupied: boolean } | null {
  const places: Place[] = [];
  const stack: { node: Node; place: Place | null }[] = [{ node: $.root()[0] as unknown as Node, place: null }];
  let occupied = false;
  let nodes = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    nodes += 1;
    if (nodes > MAX_NODES) return null;
    const { node } = next;
    let { place } = next;
    if (node.type === 'text' && place !== null) place.text += node.data ?? '';
    const name = node.name ?? '';
    if (node.children === undefined || SILENT.has(name)) continue;
    occupied ||= OCCUPIED.has(name);
    const mount = place?.mount !== true && isMount(node);
    if (mount || (place === null && WRITTEN.has(name))) {
      place = { mount, text: '' };
      places.push(place);
    }
    if (stack.length + node.children.length > MAX_NODES) return null;
    for (let child = node.children.length - 1; child >= 0; child -= 1) stack.push({ node: node.children[child] as Node, place });
  }
  const textOf = ({ text }: Place) => text.replaceAll(/\s+/g, ' ').trim();
  return {
    mounts: places.filter((place) => place.mount).map(textOf),
    written: places.filter((place) => !place.mount).map(textOf),
    occupied,
  };
}

function isMount({ name = '', attribs = {} }: Node): boolean {
  if (name === 'html' || name === 'body') return false;
  const id = attribs['id'] ?? '';
  if (MOUNT_ID.test(id) && !WIDGET_ID.test(id)) return true;
  return MOUNT_NAMES.has(name) || MOUNT_ATTRIBUTES.some((attribute) => attribute in attribs);
}
