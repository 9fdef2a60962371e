// What a page says while there is nothing else to be read on it yet.

/** Longer than this, a text says something else too. */
const MAX_WORDS = 250;

const LETTERS = /[\p{L}\p{N}]/u;
const LOADING = new RegExp(
  [
    String.raw`\b(?:loading|reloading|initiali[sz]ing|redirecting|please (?:wait|stand by)|one moment|just a (?:moment|second|sec))\b`,
    String.raw`\b(?:you are being redirected|hang (?:on|tight)|working on it)\b`,
    'wird geladen|lädt|laden|bitte warten|einen moment|seite|chargement|veuillez patienter|patientez',
    'cargando|espere|un momento|carregando|aguarde|um momento|caricamento|attendere|un attimo|bezig met|even geduld',
    'загрузка|загружается|подождите|пожалуйста|завантаження|ładowanie|proszę czekać|yükleniyor|lütfen bekleyin',
    'laddar|indlæser|laster|ladataan|memuat|đang tải|กำลังโหลด|جار[يٍ]? التحميل|טוען',
    '正在加载|加载中|載入中|请稍候|請稍候|读取中|読み込み中|ロード中|お待ちください|しばらく|로딩 ?중|잠시만 기다려 ?주세요',
  ].join('|'),
  'giu',
);
/** What is being loaded, and how far that has come. */
const FILLING =
  /\b(?:the|your|our|this|page|app|application|content|contents|data|site|website|store|shop|experience|please|while|is|are|we|it|for|up|and|loads?|opens?|en cours|de|la|bitte|die|ein|por|favor)\b|\d+ ?%|\d+/giu;

const SCRIPTS = /java ?script|\bjs\b/i;
const WANTED =
  /enabl|requir|\bneed|without|activ|turn(?:ed)? (?:it )?on|disabl|support|aktivier|aktivér|aktiver|inschakel|ingeschakeld|habilit|attiva|abilita|ativ|включ|отключ|увімкн|włącz|povol|etkinle|kích hoạt|启用|启动|開啟|啟用|有効|활성화|사용/i;

const COPYRIGHT = /^(?:©|\(c\)|copyright\b)/i;
const COOKIES = /\bcookies?\b/i;
const OF_THE_SITE =
  /\b(?:we|our|this|site|website|browser|accept|consent|wir|diese|unsere|nous|notre|ce|utili\w+|questo|acept\w+)\b/i;
const CONTROL =
  /^(?:skip (?:to|navigation)\b.{0,30}|accept(?: all)?|decline|reject(?: all)?|ok(?:ay)?|got it|i agree|close|menu|×)$/i;

/** Nothing in it, or no more than a sign that something is to come. */
export function isUnfilled(text: string): boolean {
  if (!LETTERS.test(text)) return true;
  return isLoading(text) || (text.length <= MAX_WORDS && wantsScripts(text));
}

function isLoading(text: string): boolean {
  if (text.length > MAX_WORDS) return false;
  const rest = text.replaceAll(LOADING, ' ');
  return rest !== text && !LETTERS.test(rest.replaceAll(FILLING, ' '));
}

/** Asks its reader to switch scripts on. */
export function wantsScripts(text: string): boolean {
  return SCRIPTS.test(text) && WANTED.test(text);
}

/** On every page of a site. */
export function isBoilerplate(text: string): boolean {
  if (text.length > MAX_WORDS) return false;
  return COPYRIGHT.test(text) || CONTROL.test(text) || (COOKIES.test(text) && OF_THE_SITE.test(text));
}
