// The settings of proxies: whose they are, where requests seem to come from, and what that may cost.
import { z } from 'zod';

import { PROXY_MODES } from '../core/proxy.ts';
import { AN_HTTP_URL, httpUrl } from './http-url.ts';
import { setting } from './setting.ts';

const text = z.exactOptional(z.string().min(1));
const amount = z.exactOptional(z.number().positive());

export const proxyFields = {
  proxy: setting(z.enum(PROXY_MODES).default('none'), {
    flag: '--proxy',
    placeholder: 'MODE',
    help: 'rotating: another address for each request; sticky: one for each session; geo: rotating within a place; none',
    commands: ['crawl', 'verify'],
  }),
  country: setting(text, {
    flag: '--country',
    placeholder: 'CC',
    help: 'country of the addresses, by its two letters',
    commands: ['crawl', 'verify'],
    allowed: 'a two-letter code, such as de',
    defaultText: 'any',
  }),
  city: setting(text, {
    flag: '--city',
    placeholder: 'NAME',
    help: 'their city, such as "New York"; needs --country',
    commands: ['crawl', 'verify'],
    allowed: 'the name of a city',
    defaultText: 'any',
  }),
  state: setting(text, {
    flag: '--state',
    placeholder: 'NAME',
    help: 'their state, such as us_california; needs --country us',
    commands: ['crawl', 'verify'],
    allowed: 'the name of a state',
    defaultText: 'any',
  }),
  zip: setting(text, {
    flag: '--zip',
    placeholder: 'CODE',
    help: 'their ZIP code; needs --country us, without city and state',
    commands: ['crawl', 'verify'],
    allowed: 'a text of five digits',
    defaultText: 'any',
  }),
  asn: setting(z.exactOptional(z.int().min(1).max(4_294_967_295)), {
    flag: '--asn',
    placeholder: 'N',
    help: 'their network, by its number; without any other place',
    commands: ['crawl', 'verify'],
    defaultText: 'any',
  }),
  continent: setting(text, {
    flag: '--continent',
    placeholder: 'NAME',
    help: 'their continent, such as europe; without any other place',
    commands: ['crawl', 'verify'],
    allowed: 'the name of a continent, such as europe',
    defaultText: 'any',
  }),
  sessionMinutes: setting(z.exactOptional(z.int().min(1).max(1_440)), {
    flag: '--session-minutes',
    placeholder: 'N',
    help: 'minutes that a sticky session keeps its address',
    commands: ['crawl', 'verify'],
    defaultText: '10',
  }),
  decodoUser: setting(text, {
    env: 'DECODO_USER',
    help: "the user name of Decodo's residential proxies",
    commands: ['crawl', 'verify'],
    allowed: 'a user name, with or without "user-" before it',
    defaultText: 'none',
  }),
  decodoPass: setting(text, {
    env: 'DECODO_PASS',
    help: 'its password',
    commands: ['crawl', 'verify'],
    allowed: 'a password',
    defaultText: 'none',
    secret: true,
  }),
  decodoHost: setting(z.string().min(1).default('gate.decodo.com'), {
    env: 'DECODO_HOST',
    help: 'the gateway',
    commands: ['crawl', 'verify'],
    allowed: 'the name of a host',
  }),
  decodoPort: setting(z.int().min(1).max(65_535).default(7_000), {
    env: 'DECODO_PORT',
    help: 'its port',
    commands: ['crawl', 'verify'],
  }),
  decodoEchoUrl: setting(httpUrl.default('https://ip.decodo.com/json'), {
    env: 'DECODO_ECHO_URL',
    help: 'what `verify --proxy` asks for the address that arrives',
    commands: ['verify'],
    allowed: AN_HTTP_URL,
  }),
  proxyUrls: setting(z.array(z.string().min(1)).default([]), {
    env: 'PROXY_URLS',
    help: "another provider's proxies, as http://user:password@host:port",
    commands: ['crawl', 'verify'],
    allowed: 'a URL such as http://user:password@host:port',
    defaultText: 'none',
    secret: true,
  }),
  probes: setting(z.int().min(2).max(100).default(5), {
    flag: '--probes',
    placeholder: 'N',
    help: 'requests that `verify --proxy` makes',
    commands: ['verify'],
  }),
  pricePerGb: setting(z.number().min(0).default(0), {
    flag: '--price-per-gb',
    placeholder: 'MONEY',
    help: 'what a gigabyte through the proxy costs, for the figures and --max-cost',
    commands: ['crawl', 'status', 'export'],
  }),
  maxProxyMb: setting(amount, {
    flag: '--max-proxy-mb',
    placeholder: 'MB',
    help: 'stop, to be resumed, when so many megabytes have gone through the proxy',
    commands: ['crawl'],
    defaultText: 'no limit',
  }),
  maxCost: setting(amount, {
    flag: '--max-cost',
    placeholder: 'MONEY',
    help: 'stop, to be resumed, when the crawl has cost so much; needs a price',
    commands: ['crawl'],
    defaultText: 'no limit',
  }),
};
