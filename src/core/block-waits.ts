// Waiting rooms, and the challenges of smaller vendors and of single large sites, as in core/block-vendors.ts.
import type { Vendor } from './block-vendors.ts';

const IN_LINE =
  /^(?:[^.!]{0,60}[.!]? )?you(?:'re| are) (?:now |currently )?in (?:line|(?:the|a|our) (?:virtual )?(?:queue|line|waiting room))\b/;
const KEEP_PLACE =
  /estimated wait|wait time|your (?:turn|place|number|position)|automatically (?:refresh|redirect)|(?:don't|do not) (?:close|refresh|leave)|keep this (?:page|window|tab) open/;

export const WAITS: readonly Vendor[] = [
  {
    name: 'Queue-it',
    // Its script is on every page of its customers.
    says: [
      { title: /^queue-it\W*$/, max: 1_500, bare: true },
      {
        text: [KEEP_PLACE],
        code: ['queue-it_log', /id ?= ?["']?(?:lbheaderp|mainpagediv|hlinktoqueueticket|maindivwholetext)/],
        max: 2_500,
      },
    ],
  },
  {
    name: 'Cloudflare',
    says: [{ title: /^waiting room powered by cloudflare$/, max: 1_500 }],
  },
  {
    name: 'a waiting room',
    says: [
      { text: [IN_LINE, KEEP_PLACE], code: ['<script', /http-equiv ?= ?["']?refresh/], max: 1_000, bare: true },
      {
        title: /^(?:virtual )?(?:waiting room|queue|please wait)\W*$/,
        text: [/high (?:volume|demand|traffic)|lots of (?:people|fans|visitors)|in (?:line|the queue)|your turn/],
        code: ['<script', /http-equiv ?= ?["']?refresh/],
        max: 1_000,
        bare: true,
      },
    ],
  },
  { name: 'SiteGround', only: ['/.well-known/sgcaptcha/'] },
  { name: 'LiteSpeed', only: ['/.lsrecap/recaptcha'] },
  { name: 'Hostinger', only: ['/hcdn-cgi/jschallenge'] },
  { name: 'InfinityFree', only: [/document\.cookie ?= ?["']__test=["']/] },
  { name: 'SafeLine', only: ['/.safeline/', 'safelinechallenge'] },
  { name: 'Qrator', only: ['/__qrator/'] },
  { name: 'BitNinja', says: [{ title: /^waiting for the redirectiron\W*$/, max: 600 }] },
  { name: 'EdgeOne', only: ['eo_bot_ssid'] },
  {
    name: 'GeeTest',
    also: ['initgeetest', '.geetest.com/'],
    says: [
      {
        text: [/slide to|(?:start|complete) (?:the )?verification|安全验证|完成验证|拖动滑块|点击按钮/],
        code: ['initgeetest', '.geetest.com/'],
        max: 300,
        bare: true,
      },
    ],
  },
  {
    name: 'Tencent',
    also: ['captcha.qcloud.com', 'captcha.qq.com', 'tencentcaptcha'],
    says: [
      {
        text: [/verif|安全验证|完成验证|拖动/],
        code: ['captcha.qcloud.com', 'captcha.qq.com', 'tencentcaptcha'],
        max: 300,
        bare: true,
      },
    ],
  },
  { name: 'eBay', only: ['/splashui/captcha', '/splashui/challenge'] },
  { name: 'Stack Exchange', says: [{ title: /^human verification - stack (?:overflow|exchange)$/, max: 1_500 }] },
  { name: 'LinkedIn', only: [/\/authwall\?trk=.{0,200}sessionredirect=/s] },
  { name: 'Weibo', says: [{ title: /^sina visitor system$/, max: 600 }] },
  { name: 'Zhihu', only: ['static.zhihu.com/zse-ck/'] },
];
