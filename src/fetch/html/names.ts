// Which elements the HTML standard's tree construction treats alike: https://html.spec.whatwg.org/#tree-construction
const set = (names: string): ReadonlySet<string> => new Set(names.split(' '));

export const VOID = set('area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr');
export const SPECIAL = set(
  'address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd details ' +
    'dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html ' +
    'iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript object ol p param plaintext ' +
    'pre script search section select source style summary table tbody td template textarea tfoot th thead title tr track ul wbr xmp',
);
export const FORMATTING = set('a b big code em font i nobr s small strike strong tt u');
/** They end an open `<p>`. */
export const BLOCKS = set(
  'address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup main ' +
    'menu nav ol p search section summary ul',
);
/** Whose end tags end what is open inside, too. */
export const ENDS_BLOCK = set(
  'address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header hgroup ' +
    'listing main menu nav ol pre search section select summary ul',
);
export const HEADINGS = set('h1 h2 h3 h4 h5 h6');
export const IN_HEAD = set('base basefont bgsound link meta title noscript noframes style script template');
export const IMPLIED_END = set('dd dt li optgroup option p rb rp rt rtc');
export const IN_TABLE_ONLY = set('caption col colgroup frame head tbody td tfoot th thead tr');
export const TABLE_PARTS = set('caption col colgroup tbody td tfoot th thead tr');
export const SECTIONS = set('tbody tfoot thead');

const DEFAULT = 'applet caption html table td th marquee object select template';
export const SCOPE = set(DEFAULT);
export const BUTTON_SCOPE = set(`${DEFAULT} button`);
export const LIST_SCOPE = set(`${DEFAULT} ol ul`);
export const TABLE_SCOPE = set('html table template');

export const TABLE = set('table');
export const ROW = set('tr');
/** Nothing is closed beyond them to make room in a table. */
export const TABLE_ROOT = set('template html');
/** End tags that open what they would end. */
export const HEAD_ENDS = set('head body html br');
/** In SVG and MathML: HTML may stand in them. */
export const HOLDS_HTML = set('title desc foreignobject mi mo mn ms mtext annotation-xml');
/** They end SVG and MathML. */
export const BREAKS_OUT = set(
  'b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p ' +
    'pre ruby s small span strong strike sub sup table tt u ul var font',
);
