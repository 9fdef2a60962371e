// Certificates for the tests' own servers: one that an authority of ours vouches for, and one that nobody does.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface Certificates {
  /** The authority's own certificate, for NODE_EXTRA_CA_CERTS and SSL_CERT_FILE. */
  readonly authorityFile: string;
  /** For localhost and 127.0.0.1. */
  readonly trusted: Identity;
  readonly untrusted: Identity;
  remove(): void;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1';

export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'surefoot-certificates-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...options: string[]) => execFileSync('openssl', options, { stdio: 'ignore' });
  const selfSigned = (name: string, subject: string, extensions: readonly string[]) =>
    openssl(
      'req',
      '-x509',
      ...CURVE,
      '-days',
      '2',
      '-subj',
      subject,
      ...extensions,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.pem`),
    );
  const identity = (name: string): Identity => ({
    key: readFileSync(file(`${name}.key`)),
    cert: readFileSync(file(`${name}.pem`)),
  });

  selfSigned('authority', '/CN=surefoot-test-authority', []);
  selfSigned('untrusted', '/CN=localhost', ['-addext', NAMES, '-addext', 'basicConstraints=critical,CA:FALSE']);
  openssl('req', ...CURVE, '-subj', '/CN=localhost', '-keyout', file('trusted.key'), '-out', file('trusted.csr'));
  writeFileSync(file('extensions'), `${NAMES}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n`);
  const authority = ['-CA', file('authority.pem'), '-CAkey', file('authority.key'), '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    file('trusted.csr'),
    ...authority,
    '-days',
    '2',
    '-extfile',
    file('extensions'),
    '-out',
    file('trusted.pem'),
  );

  return {
    authorityFile: file('authority.pem'),
    trusted: identity('trusted'),
    untrusted: identity('untrusted'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
