// Whether a page says to come back later, and nothing else: that its reader was too fast, or that its site is overrun.
import type { Outline } from './outline.ts';

/** A page of this much text at most can be nothing but an apology. */
const MAX_APOLOGY = 250;
/** What may be left of one that came with a status of success: a signature, the label of a button. */
const MAX_REST = 20;
/** Of a long apology, more may be left. */
const REST_SHARE = 0.15;

const TOO_FAST =
  /too many (?:requests|connections|hits)\b|rate.?limit(?:s|ed|ing)?\b[^.]{0,20}\b(?:exceeded|reached|hit)|(?:exceeded|reached|hit)\b[^.]{0,30}\b(?:rate|request|download|crawl) limit|(?:are|been) (?:being )?rate.?limited|requests? this quickly|(?:request|requests|browsing|going|clicking|requesting)\b[^.]{0,20}\btoo (?:fast|quickly|often|frequently)|please slow down/;

/** The server says it of itself and to its reader: a quote or a definition has other words around it. */
const TOO_FAST_PIECES = [
  /(?:sorry,? )?we(?:'re| are) not able to serve your requests this quickly/g,
  /(?:you(?:'ve| have)?|your (?:ip|computer|network|client)(?: address)?(?: has)?|we(?:'ve| have)? (?:received|got)) (?:sent |made |received |been sending |been making )?too many (?:requests|connections|hits)(?: in (?:a|the) (?:given amount of|short|short period of) time| recently| from (?:you|your)[^.]{0,40}| to [\w.-]+)?/g,
  /(?:http |error |status )*(?:429\b[\s:—–-]*)?too many (?:requests|connections|hits)/g,
  /(?:you(?:'ve| have)? |your ip[^.]{0,20} )?(?:exceeded|reached|hit) (?:the|your|our)\b[^.]{0,30}\b(?:rate|request|download|crawl) limit(?: for [^.]{0,40})?/g,
  /(?:api |the |your )?(?:rate|request).?limit(?:s|ing)? (?:has been |was |is )?(?:exceeded|reached|hit)(?: for [\w.:-]+)?/g,
  /you (?:are|have been) (?:being )?(?:temporarily )?rate.?limited/g,
  /you(?:'re| are| have been)? (?:sending |making |issuing )?(?:requests|requesting|browsing|clicking)\b[^.]{0,20}\btoo (?:fast|quickly|often|frequently)/g,
];

const BUSY_PIECES = [
  /(?:sorry,? )?(?:we(?:'re| are)|our (?:site|website|servers?|store|service)(?: is| are)|the (?:site|website|server|service) is) (?:currently |temporarily |now )?(?:experiencing|seeing|receiving|under|very busy|too busy|busy|overloaded|over capacity)\b(?:[^.]{0,30}(?:high|heavy|large|unusual(?:ly)?|extreme)\b[^.]{0,40}(?:traffic|demand|load|volume|visitors|requests)[^.]{0,30})?/g,
  /(?:due to|because of) (?:high|heavy|unusual(?:ly high)?|extreme(?:ly high)?) (?:traffic|demand|load|volume)\b[^.]{0,40}/g,
  /(?:503\b[\s:—–-]*)?(?:server|site|service) (?:is )?(?:too busy|overloaded|temporarily unavailable)|503[\s:—–-]*service unavailable/g,
];

const COMMON_PIECES = [
  /(?:please |and |then )*(?:try|check|come|wait|retry|slow down|reduce|refresh|reload)\b[^.]{0,60}/g,
  /error (?:code:? )?\d{3,4}|ray id:? ?[\da-f]+|request id:? ?[\w-]+|reference:? ?[\w#.-]+/g,
  /\b(?:sorry|oops|whoa there|hold on|access denied|error|message|status|code|detail|title|retry|reload|back|go|home|page|nginx|openresty|apache|cloudflare|thank you|thanks|for your patience|we apologi[sz]e for (?:the|any) inconvenience)\b/g,
  /\d+/g,
];

/** A page that says to be slower and nothing else.
 *  @param failed Whether its status says that it is none: then less will do. */
export function saysTooFast(page: Outline, failed: boolean): boolean {
  if (!mayApologise(page) || !TOO_FAST.test(page.text)) return false;
  return failed || isNoMoreThan(page.text, TOO_FAST_PIECES);
}

/** A page that says that its site has too many visitors, and nothing else. */
export function saysBusy(page: Outline): boolean {
  return mayApologise(page) && isNoMoreThan(page.text, BUSY_PIECES);
}

function mayApologise(page: Outline): boolean {
  return !page.long && page.text.length <= MAX_APOLOGY && page.links <= 5 && page.entries === 0 && page.furniture === 0;
}

function isNoMoreThan(text: string, pieces: readonly RegExp[]): boolean {
  const without = pieces.reduce((left, piece) => left.replaceAll(piece, ' '), text);
  if (without === text) return false;
  const rest = COMMON_PIECES.reduce((left, piece) => left.replaceAll(piece, ' '), without);
  return rest.replaceAll(/[^\p{L}\p{N}]+/gu, '').length <= Math.max(MAX_REST, text.length * REST_SHARE);
}
