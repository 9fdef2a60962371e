// Impersonation is real: what a server reads in the ClientHello, in the first HTTP/2 frames and in the order of the headers
// is compared between our tiers and the Chromium on this machine. What differs is listed here, to the last item.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Impersonated } from '../../../../src/fetch/clients/browser-headers.ts';
import { createImpersonateClient } from '../../../../src/fetch/clients/impersonate.ts';
import { createPlainClient } from '../../../../src/fetch/clients/plain.ts';
import type { TierClient } from '../../../../src/fetch/clients/tier-client.ts';
import { CHROME_MAJOR, createHeaderPolicy } from '../../../../src/fetch/headers.ts';
import { createCertificates, type Certificates } from '../certificates.ts';
import { findChromium } from './chromium.ts';
import { ja4 } from './client-hello.ts';
import { startRecordingServer, type Introduction, type RecordingServer } from './recording-server.ts';

/** Asks Chrome to verify the server by other roots than its usual ones. Debian's whole Chromium 156 sends it, and Chrome 151 does
 *  not. https://datatracker.ietf.org/doc/draft-ietf-tls-trust-anchor-ids/ */
const TRUST_ANCHORS = 0xca34;

/** Of Chromium 156 and of impit's Chrome 151: what only the first one sends. */
const NEW_EXTENSIONS: Readonly<Record<string, readonly number[]>> = {
  chromium: [TRUST_ANCHORS],
  'chromium-headless-shell': [],
};

let certificates: Certificates;

beforeAll(() => {
  certificates = createCertificates();
  // impit reads it once, before its first connection.
  process.env['SSL_CERT_FILE'] = certificates.authorityFile;
});
afterAll(() => certificates.remove());

/** `/` leads to `/next` by itself, with two cookies and a referrer. */
async function record(visit: (server: RecordingServer) => Promise<void>): Promise<Introduction> {
  const server = await startRecordingServer(certificates.trusted, {
    answer({ url }, response) {
      if (url === '/') response.setHeader('set-cookie', ['a=1; Path=/', 'b=2; Path=/']);
      const link = '<a id="link" href="/next">next</a><script>link.click()</script>';
      response.end(`<!doctype html><title>page</title>${url === '/' ? link : ''}`);
    },
  });
  try {
    await visit(server);
    const [introduction] = server.introductions;
    if (!introduction) throw new Error('No request has come.');
    return introduction;
  } finally {
    await server.close();
  }
}

const policy = createHeaderPolicy({ mode: 'browser', version: '1.0.0' });

async function recordTier(client: TierClient): Promise<Introduction> {
  try {
    return await record(async ({ origin }) => {
      for (const [url, referer, cookies] of [
        [`${origin}/`, null, {}],
        [`${origin}/next`, `${origin}/`, { Cookie: 'a=1; b=2' }],
      ] as const) {
        const headers = { ...policy({ request: { url, referer }, sessionId: 'one' }), ...cookies };
        await text((await client.stream({ url, headers })).stream);
      }
    });
  } finally {
    await client.close();
  }
}

const recordImpersonated = async (browser: Impersonated) => recordTier(await createImpersonateClient({ browser }));
const recordPlain = () => recordTier(createPlainClient({ rejectUnauthorized: false }));

const names = ({ requests }: Introduction, request: number) => requests[request]?.map(([name]) => name) ?? [];
const without = <Value>(values: readonly Value[], others: readonly Value[]) => values.filter((value) => !others.includes(value));

/** The names of the first request's headers without TLS, as they are spelled. */
async function recordClearly(visit: (server: { origin: string }) => Promise<void>): Promise<string[]> {
  let first: string[] | undefined;
  const server = createServer(({ rawHeaders }, response) => {
    first ??= rawHeaders.filter((_, index) => index % 2 === 0);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await visit({ origin: `http://localhost:${(server.address() as AddressInfo).port}/` });
  server.closeAllConnections();
  server.close();
  return first ?? [];
}

it('our JA4 is FoxIO’s', () => {
  const hello = {
    ciphers: [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35],
    extensions: [0x1b, 0, 0x33, 0x10, 0x4469, 0x17, 0x2d, 0xd, 5, 0x23, 0x12, 0x2b, 0xff01, 0xb, 0xa, 0x15],
    groups: [],
    signatures: [0x403, 0x804, 0x401, 0x503, 0x805, 0x501, 0x806, 0x601],
    versions: [0x304, 0x303],
    protocols: ['h2', 'http/1.1'],
  };
  // The example of https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md
  expect(ja4(hello)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
});

describe.each(['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'])('%s', (path) => {
  const chromium = findChromium(path);
  // A missing headless shell is a skip on a laptop, and a failure in CI, which installs it; the whole browser is a bonus.
  const isRequired = path.endsWith('headless-shell') && Boolean(process.env['CI']);
  describe.skipIf(!chromium && !isRequired)(`version ${chromium?.version}, beside impit’s Chrome ${CHROME_MAJOR}`, () => {
    let real: Introduction;
    let ours: Introduction;
    let plain: Introduction;
    // A headless shell has no languages of its own.
    const common = (list: readonly string[]) =>
      list.filter((name) => chromium?.name === 'chromium' || name.toLowerCase() !== 'accept-language');

    beforeAll(async () => {
      if (!chromium) throw new Error(`There is no ${path}: apt-get install chromium chromium-headless-shell`);
      real = await record(({ origin }) => chromium.visit(`${origin}/`));
      ours = await recordImpersonated('chrome');
      plain = await recordPlain();
    });

    it('TLS is the same, but for extensions that only a newer version has', () => {
      const [{ extensions: theirs, ...hello }, { extensions, ...rest }] = [real.hello, ours.hello];
      expect(rest).toEqual(hello); // Ciphers, groups, signatures, versions, protocols, and their order.
      expect(without(extensions, theirs)).toEqual([]);
      expect(without(theirs, extensions)).toEqual(NEW_EXTENSIONS[chromium?.name ?? '']);
      const counterpart = { ...real.hello, extensions: theirs.filter((type) => extensions.includes(type)) };
      expect(ours.ja4).toBe(ja4(counterpart));
      expect(ours.ja4).toBe('t13d1516h2_8daaf6152771_806a8c22fdea');
    });

    it('the order of extensions changes from one connection to the next, as Chrome’s does', async () => {
      const orders = new Set(
        [ours, await recordImpersonated('chrome'), await recordImpersonated('chrome')].map(({ hello }) =>
          hello.extensions.join(),
        ),
      );
      expect(orders.size).toBeGreaterThan(1);
    });

    // Not a matter of versions: impit 0.14.5 sends HTTP/2's default for the size of a frame, leaves the size of the header
    // table at its default, and gives a request no priority. https://github.com/apify/impit/issues/385
    it('HTTP/2 is the same, but for two settings and the priority of a request', () => {
      expect(real.http2?.fingerprint).toBe('1:65536;2:0;4:6291456;6:262144|15663105|0|m,a,s,p');
      expect(ours.http2?.fingerprint).toBe('2:0;4:6291456;5:16384;6:262144|15663105|0|m,a,s,p');
      expect([real.http2?.headersPriority, ours.http2?.headersPriority]).toEqual(['1:0:256', null]);
    });

    it('headers go out in the same order', () => {
      expect(common(names(ours, 0))).toEqual(names(real, 0));
      // No user has clicked the link, and Chrome sends each cookie as a header of its own: impit cannot.
      const withUser = names(real, 1).flatMap((name) => (name === 'sec-fetch-mode' ? [name, 'sec-fetch-user'] : [name]));
      expect(withUser.filter((name) => name === 'cookie')).toHaveLength(2);
      expect(common(names(ours, 1))).toEqual(
        withUser.filter((name, index) => name !== 'cookie' || withUser.indexOf(name) === index),
      );
      const encodings = [real, ours].map(({ requests }) => new Map(requests[0]).get('accept-encoding'));
      expect(encodings).toEqual(['gzip, deflate, br, zstd', 'gzip, deflate, br, zstd']);
    });

    it('in the clear, headers go out in the same order and spelling, but for two', async () => {
      const [theirs, own] = [
        await recordClearly(({ origin }) => chromium?.visit(origin) ?? Promise.resolve()),
        await recordClearly(async ({ origin }) => {
          const client = await createImpersonateClient({ browser: 'chrome' });
          const headers = policy({ request: { url: origin }, sessionId: 'one' });
          await text((await client.stream({ url: origin, headers })).stream);
          await client.close();
        }),
      ];
      // undici writes these two itself.
      const [host, connection, ...others] = theirs;
      expect(common(own)).toEqual([host?.toLowerCase(), connection?.toLowerCase(), ...others]);
    });

    it('tier http is not taken for it', () => {
      expect(plain.ja4).not.toBe(real.ja4);
      expect(plain.hello.ciphers).not.toEqual(real.hello.ciphers);
      expect(plain.http2?.fingerprint).not.toBe(real.http2?.fingerprint);
      expect(without(plain.hello.ciphers, real.hello.ciphers).length).toBeGreaterThan(10);
    });
  });
});

describe('Firefox, with none on this machine to compare it with', () => {
  it('shakes hands unlike Chrome and unlike Node, and sends its own headers in its own order', async () => {
    const [firefox, chrome, plain] = [
      await recordImpersonated('firefox'),
      await recordImpersonated('chrome'),
      await recordPlain(),
    ];
    expect(new Set([firefox, chrome, plain].map(({ ja4 }) => ja4)).size).toBe(3);
    expect(firefox.ja4).toMatch(/^t13d1717h2_5b57614c22b0_/);
    expect(firefox.http2?.fingerprint).toMatch(/\|0\|m,p,a,s$/);
    expect(names(firefox, 1).join(' ')).toBe(
      ':method :path :authority :scheme user-agent accept accept-language accept-encoding ' +
        'referer cookie upgrade-insecure-requests sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user priority te',
    );
  });
});
