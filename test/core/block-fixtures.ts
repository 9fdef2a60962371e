// Short pages in the manner of each vendor's challenges and refusals, and ordinary pages that come close to them.

/** A page of so many pieces. */
export const html = (title: string, body: string, head = ''): string =>
  `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${title}</title>${head}</head><body>${body}</body></html>`;

/** Vendor, case, page. */
export const BLOCK_PAGES: readonly [vendor: string, kind: string, page: string][] = [
  ['Cloudflare', 'the wait', html('Please Wait... | Cloudflare', '<h1>Please wait...</h1><h2>We are checking your browser</h2>')],
  [
    'Imperva',
    'a CAPTCHA under a shop’s own title',
    html('Shop', '<p>One more thing.</p><form id="distilCaptchaForm" action="/distil_r_captcha.html?requestId=1"></form>'),
  ],
  [
    'Cloudflare',
    'a managed challenge',
    html(
      'Just a moment...',
      `<div class="main-wrapper"><noscript><span id="challenge-error-text">Enable JavaScript and cookies to continue</span></noscript></div>
       <script>(function(){window._cf_chl_opt = {cvId: '3', cType: 'managed'};})();</script>`,
      '<meta http-equiv="refresh" content="360"><style>*{margin:0}</style>',
    ),
  ],
  [
    'Cloudflare',
    'a managed challenge whose script is cut off',
    html('Just a moment...', '<noscript>Enable JavaScript and cookies to continue</noscript>'),
  ],
  [
    'Cloudflare',
    'a challenge in another language',
    html('Nur einen Moment…', '<div id="cf"></div><script src="/cdn-cgi/challenge-platform/h/g/x"></script>'),
  ],
  [
    'Cloudflare',
    "a challenge in a customer's own dress",
    html('Security check', `<img src="/logo.svg"><h1>One second</h1><script>window._cf_chl_opt={cvId:'1'}</script>`),
  ],
  [
    'Cloudflare',
    'the old puzzle',
    html(
      'Just a moment...',
      '<form id="challenge-form"><input type="hidden" name="jschl_vc" value="1"></form>Checking your browser',
    ),
  ],
  [
    'Cloudflare',
    'a CAPTCHA page',
    html(
      'Attention Required! | Cloudflare',
      '<h1>One more step</h1><p>Please complete the security check to access shop.test</p><p>Why do I have to complete a CAPTCHA?</p>',
    ),
  ],
  [
    'Cloudflare',
    'a firewall rule',
    html(
      'Shop',
      '<h1>Sorry, you have been blocked</h1><h2>You are unable to access shop.test</h2><p>Cloudflare Ray ID: <b>8f</b></p>',
    ),
  ],
  [
    'Cloudflare',
    'error 1020',
    html(
      'Access denied | shop.test used Cloudflare to restrict access',
      '<h1>Error <span>1020</span></h1> Ray ID: 6a &bull; 2024-01-01 <h2>Access denied</h2><p>What happened? This website is using a security service.</p>',
    ),
  ],
  ['Cloudflare', 'error 1020 as text', 'error code: 1020'],
  [
    'Cloudflare',
    'the bot management probe alone',
    `<html><head></head><body><script>(function(){window['__CF$cv$params']={r:'1'}})();</script></body></html>`,
  ],
  [
    'DataDome',
    'the interstitial',
    `<html><head><title>shop.test</title></head><body><p id="cmsg">Please enable JS and disable any ad blocker</p>
     <script>var dd={'rt':'i','cid':'A','host':'geo.captcha-delivery.com'}</script><script src="https://ct.captcha-delivery.com/i.js"></script></body></html>`,
  ],
  [
    'DataDome',
    'the CAPTCHA in a frame',
    html('shop.test', '<iframe src="https://geo.captcha-delivery.com/captcha/?initialCid=A" width="100%"></iframe>'),
  ],
  ['DataDome', 'the answer to a script', '{"url":"https://geo.captcha-delivery.com/captcha/?initialCid=A&hash=B"}'],
  [
    'PerimeterX',
    'press and hold',
    html(
      'Access to this page has been denied',
      '<h1>Before we continue...</h1><p>Press &amp; Hold to confirm you are a human (and not a bot).</p><div id="px-captcha"></div>',
    ),
  ],
  [
    'PerimeterX',
    "a block page in a customer's words",
    html(
      'Shop',
      '<p>Something went wrong.</p><script>window._pxUuid="1";</script><script src="https://captcha.px-cloud.net/PX1/captcha.js"></script>',
    ),
  ],
  [
    'PerimeterX',
    'the plain refusal',
    html('Access to this page has been denied.', '<h1>Please verify you are a human</h1><img src="logo.svg" alt="">'),
  ],
  ['PerimeterX', 'robot or human', html('Robot or human?', '<div id="topmessage">Activate and hold the button.</div>')],
  [
    'Akamai',
    'access denied',
    html(
      'Access Denied',
      `<h1>Access Denied</h1>You don't have permission to access "http&#58;&#47;&#47;shop&#46;test&#47;" on this server.<p>Reference&#32;&#35;18&#46;1f2e&#46;17&#46;ab<p>https&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18`,
    ),
  ],
  [
    'Akamai',
    'the behavioural challenge',
    html(
      '',
      '<div id="sec-if-cpt-container"><iframe id="sec-cpt-if" data-duration="30"></iframe></div><p>Powered and protected by</p>',
    ),
  ],
  [
    'Akamai',
    'the interstitial',
    html(
      '&nbsp;',
      '<iframe src="/interstitial.html"></iframe><script>var i=1;xhr.open("POST","/_sec/verify?provider=interstitial")</script>',
      `<meta http-equiv="refresh" content="5; URL='/news?bm-verify=AAQ'">`,
    ),
  ],
  [
    'Imperva',
    'the frame',
    '<html><head><META NAME="robots" CONTENT="noindex"></head><body><iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=9&incident_id=1-2">Request unsuccessful. Incapsula incident ID: 1-2</iframe></body></html>',
  ],
  [
    'Imperva',
    'the first script',
    '<html>\n<head>\n<META NAME="robots" CONTENT="noindex,nofollow">\n<script src="/_Incapsula_Resource?SWJIYLWA=1,2"></script>\n<body>\n</body></html>',
  ],
  ['Imperva', 'the incident as text', 'Request unsuccessful. Incapsula incident ID: 893000280061-4321'],
  [
    'Imperva',
    'pardon our interruption',
    html(
      'Pardon Our Interruption',
      `<h1>Pardon Our Interruption...</h1><p>${'As you were browsing, something about your browser made us think you were a bot. '.repeat(8)}</p>`,
    ),
  ],
  [
    'Imperva',
    'the error page',
    html(
      'shop.test',
      '<p>Access denied</p><p>Error code 16</p><p>This request was blocked by our security service</p><p>Powered by Imperva</p>',
    ),
  ],
  [
    'Sucuri',
    'the script',
    "<html><title>You are being redirected...</title><noscript>Javascript is required.</noscript><script>var s={},sucuri_cloudproxy_js='';</script></html>",
  ],
  [
    'Sucuri',
    'the script under another name',
    '<html><title>You are being redirected...</title><noscript>Javascript is required. Please enable it.</noscript><script>eval(q)</script></html>',
  ],
  [
    'Sucuri',
    'access denied',
    html(
      'Sucuri WebSite Firewall - Access Denied',
      '<h1>Access Denied - Sucuri Website Firewall</h1><p>Block ID: GEO02</p><p>Block reason: Your country</p>',
    ),
  ],
  [
    'Amazon',
    'the characters',
    html(
      'Robot Check',
      `<h4>Enter the characters you see below</h4><p>Sorry, we just need to make sure you're not a robot.</p>
       <form action="/errors/validateCaptcha"><input type="text" id="captchacharacters" name="field-keywords"></form>`,
    ),
  ],
  [
    'Amazon',
    'the button, in a language nobody listed',
    html(
      'Amazon.pl',
      '<form action="/errors_page/validateCaptcha"><button>Kontynuuj zakupy</button></form><a href="/c">Warunki</a>',
    ),
  ],
  [
    'AWS WAF',
    'the challenge',
    html(
      '',
      '<div id="challenge-container"></div><script>AwsWafIntegration.checkForceRefresh().then(x)</script>',
      '<script>window.awsWafCookieDomainList = []; window.gokuProps = {"key":"A"};</script>',
    ),
  ],
  ['AWS WAF', 'the CAPTCHA', html('Human Verification', "<h1>Let's confirm you are human</h1><div id=captcha-container></div>")],
  [
    'AWS WAF',
    "CloudFront's refusal",
    html(
      'ERROR: The request could not be satisfied',
      '<h1>403 ERROR</h1><h2>The request could not be satisfied.</h2>Request blocked. We cannot connect. Generated by cloudfront (CloudFront)',
    ),
  ],
  [
    'Kasada',
    'the script',
    '<html><head></head><body><script>window.KPSDK={};KPSDK.now=Date.now</script><script src="/149e/2d20/ips.js?tkrm=1&x-kpsdk-im=A"></script></body></html>',
  ],
  [
    'F5',
    'the script',
    '<html><head><noscript>Please enable JavaScript to view the page content.<br/>Your support ID is: 123.</noscript><script>window["bobcmn"]="1011";window["failureConfig"]="5";</script><script src="/TSPD/08ab?type=7"></script></head><body></body></html>',
  ],
  [
    'F5',
    'the refusal',
    '<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br>Your support ID is: 40452</body></html>',
  ],
  [
    'Google',
    'unusual traffic',
    html(
      'https://www.google.com/search?q=tea',
      '<form id="captcha-form" action="index"><div class="g-recaptcha"></div></form><b>About this page</b><br>Our systems have detected unusual traffic from your computer network.',
    ),
  ],
  [
    'Vercel',
    'the checkpoint',
    html('Vercel Security Checkpoint', "<main><p>We're verifying your browser</p></main><script>x()</script>"),
  ],
  ['Fastly', 'the challenge', html('Client Challenge', '<div id="x"></div><script src="/_fs-ch-1T1/script.js"></script>')],
  ['DDoS-Guard', 'the check', html('DDoS-Guard', '<h1>Checking your browser before accessing shop.test</h1>')],
  [
    'Anubis',
    'the proof of work',
    html("Making sure you're not a bot!", '<script id="anubis_challenge" src="/.within.website/x/cmd/anubis/main.mjs"></script>'),
  ],
  ['Alibaba', 'the cookie', '<html><script>var arg1="0F3E";function setCookie(n,v){} setCookie("acw_sc__v2",x);</script></html>'],
  [
    'Wordfence',
    'the limit',
    html(
      'Your access to this site has been limited',
      '<h1>Your access to this site has been limited by the site owner</h1><p>Generated by Wordfence</p>',
    ),
  ],
  ['Reddit', 'network security', html('Blocked', "<p>You've been blocked by network security.</p><p>To continue, log in.</p>")],
  ['Akamai', 'the challenge in JSON', '{"sec-cp-challenge":"true","provider":"crypto","chlg_duration":30,"token":"a"}'],
  [
    'Amazon',
    'the dogs',
    html(
      'Sorry! Something went wrong!',
      '<a href="/ref=cs_503_logo"><img src="/l.png"></a><a href="/ref=cs_503_link"><img src="/d.jpg"></a>',
    ),
  ],
  [
    'Kasada',
    'another script alone',
    '<html><body><script src="/149e9513-01fa-4fb0-aad4-566afd725d1b/2d206a39-8ed7-437e-a3be-862e0f06eea3/p.js"></script></body></html>',
  ],
  [
    'PerimeterX',
    'the answer to a script',
    '{"appId":"PX1","blockScript":"/PX1/captcha/captcha.js?a=c","hostUrl":"https://collector.px-cloud.net"}',
  ],
  ['Vercel', 'the checkpoint that failed', html('shop.test', '<p>Failed to verify your browser</p><p>Code 10</p>')],
  ['go-away', 'the proof of work', html('Checking you', '<script src="/.well-known/go-away/cmd/x/static/load.mjs"></script>')],
  [
    'Alibaba',
    'the interception',
    html('Captcha Interception', '<div id="nocaptcha"></div><script src="//g.alicdn.com/x.js"></script>'),
  ],
  ['Reddit', 'the verification', html('Reddit - Please wait for verification', '<form></form><script>x()</script>')],
  [
    'Queue-it',
    'the line',
    html(
      'Shop',
      '<div id="MainPageDiv">You are now in line. Your estimated wait time is 4 minutes.</div><script src="https://static.queue-it.net/q.js"></script>',
    ),
  ],
  [
    'Cloudflare',
    'the waiting room',
    html('Waiting Room powered by Cloudflare', '<h1>You are now in line.</h1><p>Your estimated wait time is 5 minutes.</p>'),
  ],
  [
    'a waiting room',
    'a shop’s own',
    html(
      'Tickets',
      '<h1>You are in the queue</h1><p>Keep this window open so that you do not lose your place.</p><script>poll()</script>',
    ),
  ],
  [
    'a waiting room',
    'one that reloads itself',
    html('Waiting room', '<p>Due to high demand it takes a little longer.</p>', '<meta http-equiv="refresh" content="20">'),
  ],
  [
    'SiteGround',
    'the way to its CAPTCHA',
    '<html><head><meta http-equiv="refresh" content="0;/.well-known/sgcaptcha/?r=%2F&y=ipc:1"></head></html>',
  ],
  ['LiteSpeed', 'the CAPTCHA', html('Captcha', '<form action="/.lsrecap/recaptcha"></form>')],
  ['Hostinger', 'the puzzle', html('', '<script src="/hcdn-cgi/jschallenge"></script>')],
  [
    'InfinityFree',
    'the cookie',
    '<html><body><script src="/aes.js"></script><script>document.cookie="__test="+toHex(x);location.href="/?i=1"</script></body></html>',
  ],
  ['SafeLine', 'the challenge', html('', '<script src="/.safeline/static/challenge.js"></script>')],
  ['Qrator', 'the check', html('', '<script src="/__qrator/qauth_utm_v2.js"></script>')],
  ['BitNinja', 'the check', html('Waiting for the redirectiron...', '<p>One second.</p>')],
  ['EdgeOne', 'the cookie', '<html><script>var a=1;document.cookie="EO_Bot_Ssid="+a;location.reload()</script></html>'],
  [
    'GeeTest',
    'the slider',
    html('验证', '<p>请完成验证</p><div id="captcha"></div><script src="https://static.geetest.com/v4/gt4.js"></script>'),
  ],
  ['Tencent', 'the slider', html('', '<p>安全验证</p><script src="https://turing.captcha.qcloud.com/TCaptcha.js"></script>')],
  ['eBay', 'the CAPTCHA', html('Security Measure', '<form action="/splashui/captcha_submit"></form>')],
  ['Stack Exchange', 'the check', html('Human verification - Stack Overflow', '<p>Are you a human being?</p>')],
  [
    'LinkedIn',
    'the wall',
    '<html><head><script>var u="https://"+d+"/authwall?trk="+t+"&sessionRedirect="+e(h);location.href=u</script></head></html>',
  ],
  ['Weibo', 'the visitor', html('Sina Visitor System', '<div></div><script>x()</script>')],
  [
    'Zhihu',
    'the script',
    '<html><head><meta id="zh-zse-ck" content="1"></head><script src="https://static.zhihu.com/zse-ck/v4/a.js"></script></html>',
  ],
  [
    'a CAPTCHA',
    'a widget and nothing else',
    html('shop.test', '<form method="post"><div class="h-captcha" data-sitekey="1"></div></form>'),
  ],
  [
    'a CAPTCHA',
    'a picture to be read',
    html(
      'Shop',
      '<p>To continue, please enter the captcha.</p><img src="/captcha.php"><input name="captcha_code"><button>Go</button>',
    ),
  ],
  [
    'a CAPTCHA',
    'a reCAPTCHA with a sentence',
    html('Verification', '<p>Please confirm that you are not a robot</p><div class="g-recaptcha"></div>'),
  ],
  [
    'an access check',
    'a title and a sentence',
    html('Security Check', '<h1>Wait</h1><p>We detected unusual activity from your network.</p>'),
  ],
  [
    'an access check',
    'a refusal with status 200',
    html('Access Denied', "<h1>Sorry</h1><p>You don't have permission to access this page.</p>"),
  ],
];

const filler = 'The tea shop opens at nine, and the kettle is on long before the first guest has found the door. ';

/** Near which vendor, case, page: all of them are what they seem. */
export const ORDINARY_PAGES: readonly [near: string, kind: string, page: string][] = [
  [
    'Cloudflare',
    'an article about the challenge',
    html(
      'How to get past "Just a moment..." on Cloudflare',
      `<article><h1>What is "Just a moment..."?</h1><p>Cloudflare shows "Checking your browser before accessing" and a Ray ID. ${filler}</p><pre>&lt;script&gt;window._cf_chl_opt={}&lt;/script&gt;</pre></article>`,
    ),
  ],
  [
    'Cloudflare',
    'a short note about being blocked',
    html(
      'Note',
      '<h1>Blocked again</h1><p>The site said "Sorry, you have been blocked" with a Cloudflare Ray ID. Error 1020, access denied.</p>',
    ),
  ],
  [
    'Cloudflare',
    'a login page with Turnstile',
    html(
      'Sign in',
      '<form><label>Email</label><input type="email"><input type="password"><div class="cf-turnstile" data-sitekey="1"></div><button>Verify you are human and sign in</button></form>',
      '<script src="https://challenges.cloudflare.com/turnstile/v0/api.js"></script>',
    ),
  ],
  [
    'Cloudflare',
    'a short page that ends with the bot management probe',
    html(
      'Hours',
      `<h1>Open 9 to 5</h1><script>window['__CF$cv$params']={r:'1'};a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'</script>`,
    ),
  ],
  [
    'Cloudflare',
    'the article in a page whose data quote it',
    html('Blog', `<h1>Posts</h1><p>${filler}</p><script type="application/json">{"post":"window._cf_chl_opt = {}"}</script>`),
  ],
  [
    'Cloudflare',
    'a page named like the challenge, about something else',
    html('Just a moment', `<h1>Just a moment: a poem</h1><p>${filler.repeat(2)}</p>`),
  ],
  [
    'Cloudflare',
    'a site that is down',
    html(
      'shop.test | 522: Connection timed out',
      '<div id="cf-error-details"><h1>Connection timed out</h1> Error code 522 Cloudflare Ray ID: 8</div>',
    ),
  ],
  [
    'DataDome',
    'a page that loads its tags',
    html(
      'Teas',
      '<h1>Green teas</h1><p>From 4 &euro;.</p>',
      '<script src="https://js.datadome.co/tags.js"></script><link rel="preconnect" href="https://geo.captcha-delivery.com">',
    ),
  ],
  [
    'PerimeterX',
    'a page that loads its sensor',
    html(
      'Teas',
      '<h1>Green teas</h1>',
      `<script>window._pxAppId='PX1'</script><script src="https://client.perimeterx.net/PX1/main.min.js"></script>`,
    ),
  ],
  ['PerimeterX', 'a manual', html('Robot vacuum', '<h1>Reset</h1><p>Press and hold the button until the robot beeps.</p>')],
  [
    'Akamai',
    "an application's own refusal in a site",
    html(
      'My account',
      `<nav>${'<a href="/x">Teas</a>'.repeat(30)}</nav><h1>Access Denied</h1><p>You don't have permission to access this order.</p>`,
    ),
  ],
  [
    'Akamai',
    'a page that loads its sensor',
    html('Teas', '<h1>Green teas</h1><script src="/akam/13/5f2a"></script><img src="/akam/13/pixel">'),
  ],
  [
    'Imperva',
    'a short page with its script',
    html('Hours', '<p>Open 9 to 5</p><script src="/_Incapsula_Resource?SWJIYLWA=7&ns=1"></script>'),
  ],
  [
    'Imperva',
    'a question about the message',
    html(
      'Help',
      '<h1>What does it mean?</h1><p>I get "Request unsuccessful. Incapsula incident ID: 1-2" on this page. Powered by Imperva?</p>',
    ),
  ],
  [
    'Imperva',
    'a redirect with its script',
    html('', '<script src="/_Incapsula_Resource?SWJIYLWA=7"></script>', '<meta http-equiv="refresh" content="0; url=/en/">'),
  ],
  [
    'Sucuri',
    'a badge',
    html('Hours', '<p>Open 9 to 5</p><a href="https://sitecheck.sucuri.net/">Scanned by Sucuri: website firewall</a>'),
  ],
  [
    'Amazon',
    'a shop with the button',
    html('Cart', '<h1>Your cart is empty</h1><p>Click the button below to continue shopping.</p><a href="/">Go</a>'),
  ],
  [
    'AWS WAF',
    'a page that uses its integration',
    html('Search', '<h1>Search</h1><p>3 results</p>', '<script src="https://a.token.awswaf.com/a/challenge.js" defer></script>'),
  ],
  [
    'Kasada',
    'a page that loads its script',
    html('Teas', '<h1>Green teas</h1><script src="/149e/p.js"></script><script>window.KPSDK&&KPSDK.configure([])</script>'),
  ],
  [
    'F5',
    'a login page with its script',
    html(
      'Bank',
      '<h1>Log on</h1><input type="password"><script src="/TSPD/08?type=11"></script><script>window["bobcmn"]="1"</script>',
    ),
  ],
  [
    'Google',
    'an article about its page',
    html(
      'Why Google asks',
      `<h1>Why</h1><p>"Our systems have detected unusual traffic from your computer network" means ${filler}</p>`,
    ),
  ],
  [
    'a CAPTCHA',
    'a contact form',
    html(
      'Contact',
      '<h1>Write to us</h1><form><textarea></textarea><p>Please confirm you are not a robot</p><div class="g-recaptcha"></div></form>',
    ),
  ],
  [
    'a CAPTCHA',
    'a look-up',
    html(
      'Whois',
      '<h1>Whois</h1><p>Complete the captcha to search.</p><input type="text" name="domain"><div class="h-captcha"></div>',
    ),
  ],
  [
    'a CAPTCHA',
    'a page that loads the script',
    html('Teas', '<h1>Teas</h1><script src="https://www.google.com/recaptcha/api.js"></script>'),
  ],
  [
    'an access check',
    'a page titled so',
    html('Security check', `<h1>Our boilers</h1><p>Each passes a security check once a year. ${filler}</p>`),
  ],
  ['an access check', 'a glossary', html('Bots', `<h1>Bots</h1><p>A site may verify that you are human. ${filler}</p>`)],
  [
    'Queue-it',
    'a shop that loads its script',
    html(
      'Teas',
      '<h1>Green teas</h1><p>From 4 euros.</p>',
      '<script src="https://static.queue-it.net/script/queueclient.min.js"></script>',
    ),
  ],
  [
    'a waiting room',
    'a story',
    html(
      'The queue',
      '<h1>You are in the queue</h1><p>That is what she said, and he kept his place.</p><script src="/count.js"></script>',
    ),
  ],
  [
    'a waiting room',
    'a question',
    html(
      'What does "You are now in line" mean? - Forum',
      '<h1>What does "You are now in line" mean?</h1><p>It says so since noon, with an estimated wait.</p><script src="/f.js"></script>',
    ),
  ],
  [
    'a waiting room',
    'a practice',
    html(
      'Waiting room',
      '<h1>Our waiting room</h1><p>Newspapers, and a tea while you wait.</p><script src="/count.js"></script>',
    ),
  ],
  [
    'GeeTest',
    'a login',
    html('Log in', '<input name="user"><p>Slide to verify</p><script src="https://static.geetest.com/v4/gt4.js"></script>'),
  ],
  [
    'Tencent',
    'a page that loads it',
    html('Teas', '<h1>Green teas</h1><script src="https://turing.captcha.qcloud.com/TCaptcha.js"></script>'),
  ],
  [
    'Kasada',
    'an error that carries its script',
    html(
      'Teas',
      '<h1>Green teas</h1><script src="/149e9513-01fa-4fb0-aad4-566afd725d1b/2d206a39-8ed7-437e-a3be-862e0f06eea3/p.js"></script>',
    ),
  ],
  [
    'Akamai',
    'an answer that quotes the challenge',
    html('428', '<h1>What is it?</h1><p>I get {"sec-cp-challenge":"true","chlg_duration":30} for each page.</p>'),
  ],
];
