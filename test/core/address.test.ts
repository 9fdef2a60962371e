import { describe, expect, it } from 'vitest';

import { isLocalhost, isWithin, parseAddress, parseAllowed, privateNetOf } from '../../src/core/address.ts';
import { PRIVATE_FORMS, PUBLIC_FORMS } from './address-forms.ts';

const netOf = (host: string): string | null | undefined => {
  const address = parseAddress(new URL(`http://${host}/`).hostname);
  return address === null ? undefined : privateNetOf(address);
};

describe('an address', () => {
  it.each(PRIVATE_FORMS)('that leads to no public machine is told, however it is written: %s', (host) => {
    expect(netOf(host)).toEqual(expect.any(String));
  });

  it.each(PUBLIC_FORMS)('that is public is never taken for a private one: %s', (host) => {
    expect(netOf(host)).toBeNull();
  });

  it.each(['shop.example', '10.example', 'a.b.c.d', 'localhost', 'fe80.example', '1.2.3.4.example'])('is none: %s', (name) => {
    expect(parseAddress(name)).toBeNull();
  });
});

it.each(['localhost', 'a.localhost', 'localhost.localdomain', 'localhost6', 'ip6-localhost', 'ip6-loopback', 'loopback'])(
  'a name of this machine is known without a look-up: %s',
  (name) => {
    expect(isLocalhost(name)).toBe(true);
  },
);

it.each(['localhost.example', 'notlocalhost', 'mylocalhost.example', 'local'])('is no name of this machine: %s', (name) => {
  expect(isLocalhost(name)).toBe(false);
});

describe('--allow-private', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', 'fd00::1', false],
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.7', '192.168.1.8', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['[::1]', '::1', true],
    ['0.0.0.0/0', '127.0.0.1', true],
  ])('%s has %s: %s', (net, address, has) => {
    const allowed = parseAllowed(net);
    const parsed = parseAddress(address);
    if (allowed === null || typeof allowed === 'string' || parsed === null) throw new Error('no net');
    expect(isWithin(parsed, allowed)).toBe(has);
  });

  it.each([
    ['wiki.corp', 'wiki.corp'],
    ['WIKI.corp.', 'wiki.corp'],
    ['*.corp', '.corp'],
    ['bücher.intern', 'xn--bcher-kva.intern'],
    ['localhost', 'localhost'],
  ])('takes the name %s', (text, name) => {
    expect(parseAllowed(text)).toBe(name);
  });

  it.each(['', '10.0.0.0/33', '10.0.0.0/x', 'wiki:8080', 'http://wiki', 'wiki/x', '*', 'a.*.b', 'user@wiki', 'a b', '::/129'])(
    'refuses "%s"',
    (text) => {
      expect(parseAllowed(text)).toBeNull();
    },
  );
});
