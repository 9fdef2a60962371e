// What a ClientHello says, and its JA4: https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md
import { createHash } from 'node:crypto';

export interface ClientHello {
  /** Those of the list, in order, as numbers; GREASE (https://www.rfc-editor.org/rfc/rfc8701) is left out everywhere. */
  readonly ciphers: readonly number[];
  readonly extensions: readonly number[];
  readonly groups: readonly number[];
  readonly signatures: readonly number[];
  readonly versions: readonly number[];
  readonly protocols: readonly string[];
}

// https://www.iana.org/assignments/tls-extensiontype-values
const [SERVER_NAME, GROUPS, SIGNATURES, ALPN, VERSIONS] = [0, 10, 13, 16, 43];
const TLS_1_3 = 0x0304;

/** The bytes of the TLS records that hold the first message, without their headers; null while some are missing. */
export function firstMessage(received: Buffer): Buffer | null {
  let message = Buffer.alloc(0);
  for (let at = 0; at + 5 <= received.length;) {
    const length = received.readUInt16BE(at + 3);
    if (at + 5 + length > received.length) return null;
    message = Buffer.concat([message, received.subarray(at + 5, at + 5 + length)]);
    at += 5 + length;
    if (message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3)) return message;
  }
  return null;
}

/** https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2 */
export function parseClientHello(message: Buffer): ClientHello {
  const { take, number } = reader(message.subarray(4));
  take(2 + 32); // Version and random.
  take(number(1)); // Session id.
  const ciphers = numbers(take(number(2)));
  take(number(1)); // Compression.
  const bodies = new Map<number, Buffer>();
  const all = reader(take(number(2)));
  while (all.left() > 0) {
    const type = all.number(2);
    bodies.set(type, all.take(all.number(2)));
  }
  const list = (type: number, sizeOfLength: number) => bodies.get(type)?.subarray(sizeOfLength) ?? Buffer.alloc(0);
  return {
    ciphers,
    extensions: [...bodies.keys()].filter((type) => !isGrease(type)),
    groups: numbers(list(GROUPS, 2)),
    signatures: numbers(list(SIGNATURES, 2)),
    versions: numbers(list(VERSIONS, 1)),
    protocols: strings(list(ALPN, 2)),
  };
}

/** E.g. `t13d1516h2_8daaf6152771_f246ce76b0ba`. */
export function ja4({ ciphers, extensions, signatures, versions, protocols }: ClientHello): string {
  const version = versions.includes(TLS_1_3) ? '13' : '12';
  const [first = '00'] = protocols;
  const counts = [ciphers, extensions].map((list) => String(Math.min(99, list.length)).padStart(2, '0')).join('');
  const start = `t${version}${extensions.includes(SERVER_NAME) ? 'd' : 'i'}${counts}${first.at(0)}${first.at(-1)}`;
  const sorted = (list: readonly number[]) => list.map(hex).toSorted().join(',');
  const others = extensions.filter((type) => type !== SERVER_NAME && type !== ALPN);
  return [start, short(sorted(ciphers)), short(`${sorted(others)}_${signatures.map(hex).join(',')}`)].join('_');
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

function numbers(bytes: Buffer): number[] {
  const { left, number } = reader(bytes);
  const values: number[] = [];
  while (left() > 0) values.push(number(2));
  return values.filter((value) => !isGrease(value));
}

function strings(bytes: Buffer): string[] {
  const { left, take, number } = reader(bytes);
  const values: string[] = [];
  while (left() > 0) values.push(take(number(1)).toString());
  return values;
}

function reader(bytes: Buffer) {
  let at = 0;
  const take = (length: number) => bytes.subarray(at, (at += length));
  return { take, number: (size: number) => take(size).readUIntBE(0, size), left: () => bytes.length - at };
}
