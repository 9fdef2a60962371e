// What an IP echo's answer says, and when a proxy does not keep what its mode promises.
import { describe, expect, it } from 'vitest';

import { complaintAbout, readExit, type Exit } from '../../src/core/exit.ts';

describe('an exit is read from', () => {
  it.each<[string, string, Exit | null]>([
    [
      "Decodo's JSON",
      '{"proxy":{"ip":"1.2.3.4"},"country":{"name":"Germany","code":"DE"},"city":{"name":"Berlin","code":"b"},"isp":{}}',
      { ip: '1.2.3.4', country: 'de', city: 'Berlin' },
    ],
    ['plain text', ' 1.2.3.4\n', { ip: '1.2.3.4', country: null, city: null }],
    ['plain text of IPv6', '2001:db8::1', { ip: '2001:db8::1', country: null, city: null }],
    ["httpbin's JSON", '{"origin":"1.2.3.4"}', { ip: '1.2.3.4', country: null, city: null }],
    ["another one's JSON", '{"ip":"1.2.3.4","country":"US","city":"Reno"}', { ip: '1.2.3.4', country: 'us', city: 'Reno' }],
    ['a country that is no code', '{"ip":"1.2.3.4","country":"Germany"}', { ip: '1.2.3.4', country: null, city: null }],
    ['JSON of something else', '{"hello":"world"}', null],
    ['JSON that is no object', 'null', null],
    ['a page', '<html>1.2.3.4</html>', null],
    ['nothing', '', null],
  ])('%s', (_, body, expected) => {
    expect(readExit(body)).toEqual(expected);
  });
});

const exits = (...ips: string[]): Exit[] => ips.map((ip) => ({ ip, country: ip.startsWith('9') ? 'us' : 'de', city: null }));

describe('a proxy', () => {
  it.each<[Parameters<typeof complaintAbout>[0], Exit[], string | undefined, RegExp | null]>([
    ['rotating', exits('1', '2', '3'), undefined, null],
    ['rotating', exits('1', '2', '1'), undefined, /3 requests had 2/],
    ['sticky', exits('1', '1', '1'), undefined, null],
    ['sticky', exits('1', '1', '2'), undefined, /3 requests had 2/],
    ['geo', exits('1', '2'), 'de', null],
    ['geo', exits('1', '1'), 'de', /2 requests had 1/],
    ['geo', exits('1', '9'), 'de', /in de: 1 of 2 are not/],
    ['sticky', exits('9', '9'), 'de', /in de: 2 of 2 are not/],
    ['geo', [{ ip: '1', country: null, city: null }], 'de', /does not say/],
  ])('%s with %j, asked for %s: %s', (mode, found, country, complaint) => {
    if (complaint === null) expect(complaintAbout(mode, found, country)).toBeNull();
    else expect(complaintAbout(mode, found, country)).toMatch(complaint);
  });
});
