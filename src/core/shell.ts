// Whether only a browser gets to see what a page is about: it has scripts, and nothing to be read but what says that more is
// to come. The words that say so are in core/shell-words.ts.
import type { Outline } from './outline.ts';
import type { Dom } from './page.ts';
import { isBoilerplate, isUnfilled, wantsScripts } from './shell-words.ts';

/** - `blank`: nothing to be seen at all.
 *  - `waiting`: no more than words that ask to wait, or to switch scripts on.
 *  - `unfilled`: the place that an application fills is empty; there may be a header, a footer or a slogan around it. */
export type Shell = 'blank' | 'waiting' | 'unfilled';

/** A shell may carry a cookie notice, a slogan or a footer. */
const MAX_TEXT = 250;
const MAX_LINKS = 10;
const MAX_IMAGES = 5;
/** With what is hidden, there may be more. */
const MAX_TEXT_WITH_HIDDEN = 1_500;
/** A text of this length beside the mount point is not worth a second look. */
const MAX_ASIDE = 40;
/** A shell is small. Parsed pages can be as deep as they are long, so they are walked, not searched. */
const MAX_NODES = 10_000;

const HIDDEN = /\shidden[\s>=]|display ?: ?none|visibility ?: ?hidden/;
const GOES_ELSEWHERE = /\blocation(?:\.href)? ?=[^=]|\blocation\.(?:replace|assign|reload) ?\(/;

/** What a reader of the page is left with; null for a page that is one. A page whose `<meta http-equiv="refresh">` sends its
 *  reader elsewhere is none either. */
export function shellOf($: Dom, page: Outline): Shell | null {
  if (!mayBeShell(page)) return null;
  const body = survey($, GOES_ELSEWHERE.test(page.code));
  if (body === null || body.used) return null;
  const { blocks, mounts } = body;
  const said = blocks.filter(({ kind }) => kind !== 'empty');
  if (said.every(({ kind }) => kind === 'waiting') && body.links === 0 && body.images === 0 && !body.occupied) {
    return said.length === 0 ? 'blank' : 'waiting';
  }
  const strong = mounts.filter((mount) => mount.strong);
  const places = strong.length > 0 ? strong : mounts;
  // A place that has been filled is a page that the server rendered, however short.
  if (places.length === 0 || !places.every((mount) => isUnfilled(mount.text))) return null;
  if (body.links > MAX_LINKS || body.images > MAX_IMAGES) return null;
  const rest = blocks.filter(({ kind, framing }) => kind === 'content' && !framing);
  if (rest.length === 0) return 'unfilled';
  // An empty widget beside what the server has written is no application.
  if (strong.length === 0 || rest.some(({ written, text }) => written || /\p{N}/u.test(text))) return null;
  const length = rest.reduce((sum, { text }) => sum + text.length, 0);
  return length <= (wantsScripts(page.noscript) ? MAX_TEXT : MAX_ASIDE) ? 'unfilled' : null;
}

/** What the outline alone says of it: only a page for which this holds has to be parsed. */
export function mayBeShell(page: Outline): boolean {
  if (page.long || page.scripts === 0 || page.redirects) return false;
  const isThin = page.text.length <= MAX_TEXT && page.links <= MAX_LINKS && page.images <= MAX_IMAGES;
  if (isThin && page.entries === 0 && page.furniture === 0) return true;
  return page.text.length <= MAX_TEXT_WITH_HIDDEN && page.links <= 2 * MAX_LINKS && HIDDEN.test(page.code);
}

/** A node as htmlparser2 and parse5 both build it. */
interface Node {
  readonly type: string;
  readonly name?: string;
  readonly attribs?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly children?: readonly Node[];
}

/** A stretch of text that is read as one. */
interface Block {
  text: string;
  links: number;
  kind: 'empty' | 'waiting' | 'boilerplate' | 'content';
  /** A heading, a paragraph, an entry. */
  readonly written: boolean;
  /** In a header, a footer or a menu. */
  readonly framing: boolean;
}

interface Mount {
  text: string;
  /** Known by its name as an application's own, and not only as anybody's. */
  readonly strong: boolean;
}

interface Survey {
  readonly blocks: readonly Block[];
  readonly mounts: readonly Mount[];
  /** That lead somewhere, but for those in a text that asks to wait. */
  readonly links: number;
  readonly images: number;
  /** There is something to be filled in. */
  readonly used: boolean;
  /** There is something to be seen that is no text. */
  readonly occupied: boolean;
}

const SILENT = new Set(['script', 'style', 'noscript', 'template', 'title', 'head']);
const INLINE = new Set('a abbr b bdi br code em font i label mark s small span strong sub sup time u wbr'.split(' '));
const WRITTEN = new Set(['h1', 'h2', 'h3', 'h4', 'p', 'li', 'dd', 'td', 'blockquote', 'figcaption', 'pre']);
const FRAMING = new Set(['header', 'footer', 'nav']);
const FRAMING_ROLES = new Set(['banner', 'contentinfo', 'navigation']);
const USED = new Set(['input', 'textarea', 'select', 'article', 'dl']);
const NO_ENTRY = new Set(['hidden', 'submit', 'button', 'image', 'reset', 'checkbox', 'radio']);
const OCCUPYING = new Set(['iframe', 'canvas', 'video', 'audio', 'object', 'embed', 'frame']);

/** What is to be seen in a page; null for one of too many nodes.
 *  @param leaves Whether its scripts go elsewhere. */
function survey($: Dom, leaves: boolean): Survey | null {
  const blocks: Block[] = [];
  const mounts: Mount[] = [];
  const stack: { node: Node; block: Block; mount: Mount | null }[] = [
    { node: $.root()[0] as unknown as Node, block: newBlock('', false), mount: null },
  ];
  const seen = { images: 0, used: false, occupied: false };
  let nodes = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    nodes += 1;
    if (nodes > MAX_NODES) return null;
    const { node } = next;
    let { block, mount } = next;
    if (node.type === 'text') {
      if (block.text === '' && block.links === 0) blocks.push(block);
      block.text += ` ${node.data ?? ''}`;
      if (mount && !block.framing) mount.text += ` ${node.data ?? ''}`;
    }
    const { name = '', attribs = {}, children } = node;
    if (children === undefined || SILENT.has(name) || isHidden(attribs)) continue;
    if (name === 'img') seen.images += 1;
    seen.used ||= USED.has(name) && !NO_ENTRY.has((attribs['type'] ?? '').toLowerCase());
    seen.occupied ||= OCCUPYING.has(name) && leadsSomewhere(attribs['src'] ?? (name === 'iframe' ? '' : name));
    if (name === 'iframe') continue; // What it holds is shown where there are no frames.
    if (mount === null) {
      const strength = mountOf(node);
      if (strength !== null) mounts.push((mount = { text: '', strong: strength === 'strong' }));
    }
    if (name === 'a' && leadsSomewhere(attribs['href'] ?? '')) {
      if (block.text === '' && block.links === 0) blocks.push(block);
      block.links += 1;
    } else if (name !== '' && !INLINE.has(name)) {
      const framing = block.framing || FRAMING.has(name) || FRAMING_ROLES.has(attribs['role'] ?? '');
      block = newBlock(name, framing, block.written);
    }
    if (stack.length + children.length > MAX_NODES) return null;
    for (let child = children.length - 1; child >= 0; child -= 1) stack.push({ node: children[child] as Node, block, mount });
  }
  for (const block of blocks) {
    block.text = block.text.replaceAll(/\s+/g, ' ').trim();
    block.kind = kindOf(block.text, leaves);
  }
  for (const mount of mounts) mount.text = mount.text.replaceAll(/\s+/g, ' ').trim();
  return { blocks, mounts, ...seen, links: blocks.reduce((sum, { kind, links }) => sum + (kind === 'waiting' ? 0 : links), 0) };
}

function newBlock(name: string, framing: boolean, written = false): Block {
  return { text: '', links: 0, kind: 'empty', written: written || WRITTEN.has(name), framing };
}

function kindOf(text: string, leaves: boolean): Block['kind'] {
  if (!/[\p{L}\p{N}]/u.test(text)) return 'empty';
  if (isUnfilled(text) || (leaves && /redirect|weitergeleitet|redirigi/i.test(text))) return 'waiting';
  return isBoilerplate(text) ? 'boilerplate' : 'content';
}

// Shown by a style sheet when something has gone wrong: Salesforce's and Blazor's.
const ERROR_ID = /^(?:auraErrorMask|blazor-error-ui)$/;

/** Not to be seen, by its own attributes; as is a picture of one pixel. */
function isHidden(attribs: Readonly<Record<string, string>>): boolean {
  if (('hidden' in attribs && attribs['hidden'] !== 'until-found') || ERROR_ID.test(attribs['id'] ?? '')) return true;
  if (/^[01](?:px)?$/.test(attribs['width'] ?? '') && /^[01](?:px)?$/.test(attribs['height'] ?? '')) return true;
  const style = attribs['style'];
  return (
    style !== undefined && /display\s*:\s*none|visibility\s*:\s*hidden|(?:^|[;\s])width\s*:\s*0(?:px)?\s*(?:;|$)/i.test(style)
  );
}

function leadsSomewhere(address: string): boolean {
  return !/^\s*(?:#.*|javascript:.*|about:blank.*)?$/is.test(address);
}

const MOUNT_ID =
  /^(?:app|root|__next|__nuxt|___gatsby|application|svelte|mount|spa|(?:react|vue|main|js)[-_](?:app|root)|(?:react|vue|main)(?:App|Root)|auraLoadingBox)$/;
const ANY_MOUNT_ID = /(?:^|[-_])(?:app|root)(?:[-_]|$)|[a-z](?:App|Root)$/;
// Places for a widget on any kind of page, not for the page itself; the last ones speak of a shop's app.
const WIDGET_ID =
  /^(?:fb|modal|portal|dialog|toast|tooltip|overlay|notification|popup|chat|consent|cookie)s?[-_]|^whats-?app|(?:^|[-_])app[-_](?:promo|banner|store|download|install|badge|link)/i;
const MOUNT_NAMES = new Set([
  'main',
  'app-root',
  'app-shell',
  'my-app',
  'ion-app',
  'ng-view',
  'ui-view',
  'router-outlet',
  'router-view',
]);
const MOUNT_ATTRIBUTES = ['data-reactroot', 'data-v-app', 'ng-view', 'ui-view'];

function mountOf({ name = '', attribs = {} }: Node): 'strong' | 'weak' | null {
  if (name === 'html' || name === 'body') return null;
  const id = attribs['id'] ?? '';
  if (MOUNT_ID.test(id) || MOUNT_NAMES.has(name) || attribs['role'] === 'main') return 'strong';
  if (MOUNT_ATTRIBUTES.some((attribute) => attribute in attribs)) return 'strong';
  // An element that a script defines is filled by it.
  const isAny = (ANY_MOUNT_ID.test(id) && !WIDGET_ID.test(id)) || name.includes('-');
  return isAny ? 'weak' : null;
}
