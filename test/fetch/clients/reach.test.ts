import type { LookupAddress } from 'node:dns';

import { describe, expect, it } from 'vitest';

import { TransportError } from '../../../src/core/transport.ts';
import { createReach, type Reach, type ReachOptions } from '../../../src/fetch/clients/reach.ts';
import { LOOPBACK_FORMS, PRIVATE_FORMS, PUBLIC_FORMS } from '../../core/address-forms.ts';
import { fakeNames } from './fake-names.ts';

const PAGE = 'http://shop.example/page';

function open({ names = {}, ...options }: Partial<ReachOptions> & { names?: Parameters<typeof fakeNames>[0] } = {}) {
  const { resolve, asked } = fakeNames(names);
  return { asked, reach: createReach({ startUrls: [PAGE], allowPrivate: [], resolve, ...options }) };
}

/** Whether a request is let out: by its name, and then by what that is looked up as. */
async function reaches(reach: Reach, url: string, from: string | null = PAGE, proxied = false): Promise<boolean> {
  const { hostname } = new URL(url);
  try {
    await reach.admit(hostname, { from, proxied });
    if (!proxied && !/^\[|^[\d.]+$/.test(hostname)) await dialled(reach, hostname);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ name: 'TransportError', fault: 'private-address' });
    return false;
  }
}

function dialled(reach: Reach, name: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    reach.lookup(name, { all: true }, (error, found) => {
      if (error) reject(error);
      else resolve((found as LookupAddress[]).map(({ address }) => address));
    });
  });
}

describe('a page of the public net leads', () => {
  it.each(PRIVATE_FORMS)('to no address of a private one, directly or through a proxy: %s', async (host) => {
    const { reach } = open();
    expect(await reaches(reach, `http://${host}/`)).toBe(false);
    expect(await reaches(reach, `http://${host}/`, PAGE, true)).toBe(false);
  });

  it.each(PRIVATE_FORMS)('to no name that is looked up as one: %s', async (host) => {
    const address = new URL(`http://${host}/`).hostname.replaceAll(/[[\]]/g, '');
    const { reach } = open({ names: { 'evil.example': [address] } });
    expect(await reaches(reach, 'http://evil.example/')).toBe(false);
  });

  it.each(PUBLIC_FORMS)('to every public address, by itself and behind a name: %s', async (host) => {
    const { hostname } = new URL(`http://${host}/`);
    const { reach } = open({ names: { 'good.example': [hostname.replaceAll(/[[\]]/g, '')] } });
    expect(await reaches(reach, `http://${host}/`)).toBe(true);
    expect(await reaches(reach, `http://${host}/`, PAGE, true)).toBe(true);
    expect(await reaches(reach, 'http://good.example/')).toBe(true);
  });

  it.each(['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'localhost.localdomain', 'ip6-loopback'])(
    'to no name of this machine: %s',
    async (name) => {
      const { reach, asked } = open();
      expect(await reaches(reach, `http://${name}/`)).toBe(false);
      expect(await reaches(reach, `http://${name}/`, PAGE, true)).toBe(false);
      expect(asked).toEqual([]);
    },
  );
});

it('a name with public and private addresses is dialled at its public ones alone', async () => {
  const { reach } = open({ names: { 'mixed.example': [['10.0.0.1', '93.184.216.34', '::1']] } });
  expect(await dialled(reach, 'mixed.example')).toEqual(['93.184.216.34']);
});

it('a name that is public when it is asked for first and private when it is dialled is not reached', async () => {
  const { reach } = open({ names: { 'rebinding.example': ['93.184.216.34', '127.0.0.1'] } });
  expect(await reaches(reach, 'http://rebinding.example/')).toBe(true);
  expect(await reaches(reach, 'http://rebinding.example/')).toBe(false);
});

it('the host of a start URL that was public does not become private later', async () => {
  const { reach } = open({ names: { 'shop.example': ['93.184.216.34', '10.0.0.1'] } });
  expect(await reaches(reach, PAGE, null)).toBe(true);
  expect(await reaches(reach, PAGE, null)).toBe(false);
  expect(await reaches(reach, 'http://shop.example./')).toBe(false);
});

it('the private host of a start URL stays in the net where it was, and may become public', async () => {
  const names = { 'wiki.corp': ['10.0.0.1', '10.0.0.2', '169.254.169.254', '127.0.0.1', '93.184.216.34'] };
  const { reach } = open({ startUrls: ['http://wiki.corp/'], names });
  const seen = [];
  for (let times = 0; times < 5; times++) seen.push(await reaches(reach, 'http://wiki.corp/', 'http://wiki.corp/'));
  expect(seen).toEqual([true, true, false, false, true]);
});

describe('of two start URLs', () => {
  const names = {
    'wiki.corp': ['10.0.0.1'],
    'git.corp': ['10.0.0.2'],
    'shop.example': ['93.184.216.34'],
    'hr.corp': ['10.0.0.3'],
    localhost: ['127.0.0.1'],
  };
  const startUrls = ['http://wiki.corp/', 'http://git.corp/', PAGE, 'http://10.0.0.9/', 'http://localhost:3000/'];

  it.each([
    ['http://git.corp/', 'http://wiki.corp/', true],
    ['http://10.0.0.9/', 'http://wiki.corp/', true],
    ['http://wiki.corp/', 'http://10.0.0.9/', true],
    ['http://localhost:3000/', 'http://wiki.corp/', true],
    ['http://127.0.0.1:5000/', 'http://localhost:3000/', true],
    ['http://shop.example/', 'http://wiki.corp/', true],
    ['http://hr.corp/', 'http://wiki.corp/', false],
    ['http://10.0.0.8/', 'http://10.0.0.9/', false],
    ['http://wiki.corp/', 'http://shop.example/', false],
    ['http://wiki.corp./', 'http://shop.example/', false],
    ['http://10.0.0.9/', 'http://shop.example/', false],
    ['http://localhost:3000/', 'http://shop.example/', false],
    ['http://127.0.0.1:3000/', 'http://shop.example/', false],
    ['http://wiki.corp/', 'http://wiki.corp.evil.example/', false],
    ['http://wiki.corp/', 'http://wiki.corp:80@evil.example/', false],
    ['http://wiki.corp/', 'http://wiki.corp:8080/page?x', true],
    ['http://wiki.corp/', 'http://other.example/', false],
  ])('a private one is led to from the private alone: %s from %s: %s', async (url, from, may) => {
    expect(await reaches(open({ startUrls, names }).reach, url, from)).toBe(may);
  });

  it('a person may ask for each', async () => {
    const { reach } = open({ startUrls, names });
    for (const url of startUrls) expect(await reaches(reach, url, null)).toBe(true);
  });

  it('through a proxy no name is looked up here', async () => {
    const { reach, asked } = open({ startUrls, names });
    expect(await reaches(reach, 'http://wiki.corp/', 'http://shop.example/', true)).toBe(true);
    expect(await reaches(reach, 'http://10.0.0.9/', 'http://wiki.corp/', true)).toBe(false);
    expect(asked).toEqual([]);
  });
});

it.each(LOOPBACK_FORMS)('a start URL on this machine names all of it: %s', async (host) => {
  const { reach } = open({ startUrls: ['http://localhost:8080/'] });
  expect(await reaches(reach, `http://${host}/`, 'http://127.0.0.1:8080/')).toBe(true);
});

it('a start URL on this machine makes no name of another reach it', async () => {
  const { reach } = open({ startUrls: ['http://localhost:8080/'], names: { 'evil.example': ['127.0.0.1'] } });
  expect(await reaches(reach, 'http://evil.example/', 'http://localhost:8080/')).toBe(false);
});

describe('--allow-private', () => {
  const names = { 'wiki.corp': ['10.0.0.1'], 'a.b.corp': ['fd00::1'], 'evil.example': ['10.0.0.1'] };

  it.each([
    ['wiki.corp', 'http://wiki.corp/', true],
    ['wiki.corp', 'http://evil.example/', false],
    ['wiki.corp', 'http://10.0.0.1/', false],
    ['*.corp', 'http://wiki.corp/', true],
    ['*.corp', 'http://a.b.corp/', true],
    ['10.0.0.0/8', 'http://wiki.corp/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://[::ffff:10.1.2.3]/', true],
    ['10.0.0.0/8', 'http://a.b.corp/', false],
    ['fd00::/8', 'http://a.b.corp/', true],
    ['localhost', 'http://127.0.0.1/', true],
    ['127.0.0.1', 'http://127.0.0.1/', true],
    ['10.0.0.7', 'http://10.0.0.8/', false],
  ])('%s lets any page lead to %s: %s', async (entry, url, may) => {
    expect(await reaches(open({ allowPrivate: [entry], names }).reach, url)).toBe(may);
  });
});

it('the reason names the host, where it leads and what lets it', async () => {
  const { reach } = open({ names: { 'evil.example': ['169.254.169.254'] } });
  const error = await dialled(reach, 'evil.example').catch((error: unknown) => error);
  expect(error).toBeInstanceOf(TransportError);
  expect((error as Error).message).toBe(
    'evil.example (169.254.169.254) leads to the local link, and a page must not lead there. If it may, add --allow-private evil.example.',
  );
});

it('a public name is judged without a promise and without a look-up', () => {
  const { reach, asked } = open();
  expect(reach.admit('other.example', { from: PAGE, proxied: false })).toBeUndefined();
  expect(reach.admit('shop.example', { from: null, proxied: false })).toBeUndefined();
  expect(asked).toEqual([]);
});
