// What the challenge and refusal pages of each vendor look like. The rules that weigh it are in core/block-pages.ts.

/** Lower case. A string is looked for anywhere, a pattern is tried. */
export type Mark = string | RegExp;

/** A page that refuses by its words. All of what is given must hold. A phrase that anybody may quote is asked for where
 *  the page begins, since an article about it begins with something else. */
export interface Wording {
  title?: RegExp;
  /** Each of them, in the visible text or in `<noscript>`. */
  text?: readonly RegExp[];
  /** One of them, in tags or scripts. */
  code?: readonly Mark[];
  /** A page with more visible text than this says something else. */
  max: number;
  /** There is nothing to be filled in, and next to nowhere to go: for what ordinary pages say too. */
  bare?: boolean;
}

export interface Vendor {
  readonly name: string;
  /** In tags and scripts of its challenges alone: a page with little text and one of these is one. */
  readonly only?: readonly Mark[];
  /** In its challenges, and in every ordinary page of its customers: says something on a page that holds nothing else. */
  readonly also?: readonly Mark[];
  readonly says?: readonly Wording[];
}

const MOMENT =
  /^(?:just a moment|one moment|un momento|un instant|einen moment|nur einen moment|een moment|[eé]én moment|um momento|un attimo|один момент|bir dakika|proszę czekać|请稍候|請稍候|しばらくお待ちください|잠시만 기다리십시오)\W*$/u;

export const VENDORS: readonly Vendor[] = [
  {
    name: 'Cloudflare',
    only: [
      '_cf_chl_opt',
      'jschl_vc',
      'jschl-answer',
      'cf-browser-verification',
      'cf-im-under-attack',
      'cf_captcha_kind',
      'cf_chl_captcha_tk',
      'cf-captcha-container',
      '/cdn-cgi/l/chk_',
      /\/cdn-cgi\/challenge-platform\/[\w/]{0,40}orchestrate\//,
    ],
    // Bot management runs its detection on ordinary pages too, so they end with the same script.
    also: ['__cf$cv$params', '/cdn-cgi/bm/cv/', '/cdn-cgi/challenge-platform/'],
    says: [
      { title: MOMENT, text: [/enable javascript and cookies to continue|verif|checking|cloudflare|ray id/], max: 800 },
      { title: MOMENT, code: ['challenges.cloudflare.com', '/cdn-cgi/', 'cf-turnstile', 'challenge-'], max: 300 },
      { title: /^(?:attention required!|please wait\.\.\.) \| cloudflare$/, max: 2_500 },
      { text: [/^sorry, you have been blocked/, /cloudflare/], max: 1_500 },
      // 1015 is a rate limit, and other numbers tell of a site that is down.
      { text: [/^(?:access denied )?error (?:code:? )?(?:100[5-9]|101[0-2]|1020|1106)\b/, /ray id/], max: 1_500 },
      { text: [/^error code:? (?:100[5-9]|101[0-2]|1020|1106)$/], max: 40 },
      { text: [/^(?:[\w.-]+\.\w+ )?checking (?:your browser|if the site connection is secure)/, /cloudflare|ray id/], max: 800 },
      { text: [/^[\w.-]+\.\w+ .{0,120}needs to review the security of your connection before proceeding/], max: 800 },
    ],
  },
  {
    name: 'DataDome',
    // `datadome.co` and its tags.js are on every page of its customers.
    only: [
      /captcha-delivery\.com\/(?:[a-z]\.js|captcha|interstitial)/,
      /\bdd ?= ?\{[^}]{0,2000}['"]host['"] ?: ?['"][\w.-]*captcha-delivery/,
    ],
    says: [
      { text: [/please enable js and disable any ad ?blocker/], max: 200 },
      { text: [/^\{ ?"url" ?: ?"https:\/\/[\w.-]*captcha-delivery\.com\//], max: 2_000 },
      { title: /^you have been blocked$/, code: ['captcha-delivery.com', 'datadome'], max: 1_500 },
    ],
  },
  {
    name: 'PerimeterX',
    only: ['px-captcha', '_pxblockedurl', '_pxuuid', /captcha\.(?:px-c[a-z]*|perimeterx)\.net/, /\/captcha\/captcha\.js\?a=c/],
    says: [
      { title: /^access to this page has been denied\.?$/, max: 1_500 },
      { text: [/^.{0,60}access to this page has been denied because we believe/], max: 1_500 },
      { title: /^robot or human\??$/, max: 600 },
      { text: [/^\{.{0,300}"blockscript" ?:/, /captcha\.js|px-c|perimeterx/], max: 2_500 },
      { text: [/^.{0,100}press (?:and|&) hold\b[^.]{0,40}\b(?:you are|you're|human)\b/], max: 500 },
    ],
  },
  {
    name: 'Akamai',
    only: [
      'sec-if-cpt',
      'sec-cpt-if',
      '/_sec/cp_challenge',
      '/_sec/verify',
      'triggerinterstitialchallenge',
      'sec-bc-tile-container',
      /refresh[^>]{0,2000}[?&]bm-verify=/,
    ],
    says: [
      { text: [/^\{.{0,200}"sec-cp-challenge" ?: ?"?true/], max: 2_500 },
      {
        text: [/^access denied you don't have permission to access/, /reference ?#[\da-f]+\.|errors\.edgesuite\.net/],
        max: 2_500,
      },
      { title: /^access denied$/, text: [/you don't have permission to access/, /on this server/], max: 2_500 },
    ],
  },
  {
    name: 'Imperva',
    only: [
      /<iframe[^>]{0,500}_incapsula_resource/,
      'distil_r_captcha',
      '_incapsula_resource?cwudnsai',
      '_incapsula_resource?swudnsai',
    ],
    also: ['_incapsula_resource'],
    says: [
      { text: [/^request unsuccessful\. incapsula incident id/], max: 300 },
      { title: /^pardon our interruption\W*$/, max: 2_500 },
      {
        text: [
          /^.{0,80}(?:this request was blocked by (?:our|the) security|error code \d\d)/,
          /powered by (?:imperva|incapsula)/,
        ],
        max: 800,
      },
    ],
  },
  {
    name: 'Sucuri',
    only: ['sucuri_cloudproxy_js', 'sucuri-firewall-block'],
    says: [
      { title: /^sucuri website firewall/, text: [/access denied|block (?:id|reason)/], max: 2_000 },
      { title: /^you are being redirected\W*$/, text: [/javascript is required/], max: 200 },
    ],
  },
  {
    name: 'Amazon',
    only: ['validatecaptcha', 'opfcaptcha', 'csm-captcha-instrumentation', 'ref=cs_503_'],
    says: [
      { title: /^robot check$/, max: 1_000 },
      { text: [/^enter the characters you see below/, /robot|amazon/], max: 800 },
      { text: [/^click the button below to continue shopping/], max: 400 },
      { text: [/^klicke? ?(?:n sie )?auf die schaltfläche unten|^cliquez sur le bouton ci-dessous/, /amazon/], max: 400 },
    ],
  },
  {
    name: 'AWS WAF',
    only: ['gokuprops', 'awswafcookiedomainlist', 'awswafintegration.checkforcerefresh'],
    also: ['awswaf.com/'],
    says: [
      { title: /^human verification$/, max: 600 },
      { text: [/^(?:403 error )?the request could not be satisfied\.? request blocked/, /cloudfront/], max: 1_000 },
    ],
  },
  {
    name: 'Kasada',
    only: [/window\.kpsdk ?= ?\{ ?\}/, /\/ips\.js\?/],
    also: ['kpsdk', /\/[\da-f]{8}-[\da-f-]{27}\/[\da-f]{8}-[\da-f-]{27}\/p\.js/],
  },
  {
    name: 'F5',
    also: ['bobcmn', '/tspd/', '--z=q'],
    says: [
      { text: [/^(?:request rejected )?the requested url was rejected\. please consult with your administrator/], max: 500 },
      { text: [/^please enable javascript to view the page content\.? ?your support id is/], max: 200 },
    ],
  },
  {
    name: 'Google',
    says: [
      { text: [/our systems have detected unusual traffic/], code: ['captcha-form', 'g-recaptcha'], max: 2_500 },
      { title: /^(?:https?:\/\/.*|sorry\W*)$/, text: [/detected unusual traffic|may be sending automated queries/], max: 2_500 },
      { text: [/^about this page our systems have detected unusual traffic/], max: 2_500 },
    ],
  },
  {
    name: 'Vercel',
    says: [
      { title: /^vercel security checkpoint$/, max: 600 },
      { text: [/^(?:vercel security checkpoint )?we're verifying your browser/, /vercel/], max: 400 },
      { text: [/^failed to verify your browser/, /code \d+/], max: 200 },
    ],
  },
  { name: 'Fastly', only: ['/_fs-ch-'] },
  { name: 'DDoS-Guard', only: ['check.ddos-guard.net', 'ddos-guard/js-challenge'], says: [{ title: /^ddos-guard$/, max: 800 }] },
  { name: 'Anubis', only: ['anubis_challenge', 'within.website/x/cmd/anubis'] },
  { name: 'go-away', only: ['__goaway_challenge', '/go-away/cmd/'] },
  {
    name: 'Yandex',
    only: ['/checkcaptcha?key=', 'captcha-backend.yandex', 'smartcaptcha.yandexcloud'],
    says: [{ title: /^(?:вы не робот|ой!|are you not a robot)\W*$/, max: 1_000 }],
  },
  {
    name: 'Alibaba',
    only: ['acw_sc__v2', '_____tmd_____', 'x5secdata', 'aliyun_waf_aa'],
    says: [{ title: /^(?:captcha interception|验证码拦截|滑动验证页面)$/, max: 800 }],
  },
  { name: 'Baidu', says: [{ title: /^百度安全验证$/, max: 300 }] },
  { name: 'Radware', only: ['validate.perfdrive.com', 'captcha.perfdrive.com'] },
  { name: 'Reblaze', only: ['window.rbzns'] },
  { name: 'ArvanCloud', only: ['__arcsjs'] },
  { name: 'Imunify360', says: [{ text: [/^access denied by imunify360/], max: 400 }] },
  {
    name: 'Wordfence',
    says: [{ text: [/^your access to this site has been (?:temporarily )?limited/, /wordfence/], max: 2_500 }],
  },
  {
    name: 'Reddit',
    says: [
      { title: /^reddit - please wait for verification$/, max: 600 },
      { text: [/^.{0,40}you've been blocked by network security/], max: 800 },
    ],
  },
  { name: 'DuckDuckGo', says: [{ text: [/^.{0,80}unfortunately, bots use duckduckgo too/], max: 2_000 }] },
  { name: 'mod_security', says: [{ text: [/^(?:not acceptable|forbidden)/, /generated by mod_security/], max: 600 }] },
];
