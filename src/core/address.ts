// Which net an address belongs to: the public one, or one that only this machine or its neighbours can see. Pure: what a
// connection may do about it is for fetch/clients/reach.ts.
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A net, as CIDR has it. */
interface Net {
  readonly net: Address;
  readonly bits: number;
}

/** An entry of `--allow-private`: a net, a name, or with a dot before it the end of names. */
export type Allowed = Net | string;

/** Ranges by ipaddr.js's names that the public net routes, though each has a purpose of its own (IANA: "globally reachable").
 *  https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry */
const ROUTED = new Set(['unicast', 'as112', 'as112v6', 'amt', 'orchid2', 'droneRemoteIdProtocolEntityTags']);
/** The wire server of Azure's machines: a public address that is answered on the inside.
 *  https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 */
const AZURE_WIRE_SERVER = '168.63.129.16';

/** Where the embedded address alone says where the whole one leads. */
const TRANSLATED = new Set(['ipv4Mapped', 'rfc6052', '6to4', 'teredo']);

const WORDS: Readonly<Record<string, string>> = {
  loopback: 'this machine',
  private: 'a private net',
  uniqueLocal: 'a private net',
  deprecatedSiteLocal: 'a private net',
  carrierGradeNat: "a carrier's own net",
  linkLocal: 'the local link',
  multicast: 'a multicast group',
  broadcast: 'all machines of a net',
  unspecified: 'this machine',
  rfc6052: 'a private net',
};

/** @param host An address as `URL.hostname` or Node has it, IPv6 with or without brackets.
 *  @returns Null for a name. */
export function parseAddress(host: string): Address | null {
  const text = host.startsWith('[') ? host.slice(1, -1) : host;
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !text.includes(':')) return null;
  return ipaddr.isValid(text) ? ipaddr.parse(text) : null;
}

/** Where an address leads that is not on the public net, in words that follow "leads to"; null for a public one. An address
 *  that carries an IPv4 address, such as a translator's, leads where that one does. */
export function privateNetOf(address: Address): string | null {
  if (address instanceof ipaddr.IPv4) {
    if (address.toString() === AZURE_WIRE_SERVER) return "Azure's wire server";
    return wordsFor(address.range());
  }
  const range = address.range() as string;
  // They look like an IPv4 address in an IPv6 one as well.
  if (range === 'loopback' || range === 'unspecified') return wordsFor(range);
  const inner = embeddedIn(address, range).map(privateNetOf);
  const led = inner.find((words) => words !== null);
  if (led !== undefined && led !== null) return led;
  if (inner.length > 0 && TRANSLATED.has(range)) return null;
  // https://www.iana.org/assignments/ipv6-address-space: all that is given out lies in 2000::/3.
  const isGivenOut = ((address.parts[0] as number) & 0xe0_00) === 0x20_00;
  return isGivenOut ? wordsFor(range) : (WORDS[range] ?? 'a reserved address');
}

/** Names of this machine itself, whatever a resolver says of them: https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
export function isLocalhost(name: string): boolean {
  return /^(?:.+\.)?localhost$|^localhost\.localdomain$|^(?:ip6-)?(?:localhost6?|loopback)$/.test(name);
}

/** @param text `wiki.corp`, `*.corp`, `10.0.0.7`, `10.0.0.0/8`.
 *  @returns Null for what is none of these. */
export function parseAllowed(text: string): Allowed | null {
  const alone = parseAddress(text);
  if (alone) return { net: alone, bits: alone instanceof ipaddr.IPv4 ? 32 : 128 };
  if (text.includes('/')) {
    if (!ipaddr.isValidCIDR(text)) return null;
    const [net, bits] = ipaddr.parseCIDR(text);
    return { net, bits };
  }
  const isEnd = text.startsWith('*.');
  const name = isEnd ? text.slice(2) : text;
  // What a URL may have besides a host, and what no name has.
  if (!/^[^\s:@?#*\\[\]%]+$/.test(name) || !URL.canParse(`http://${name}/`)) return null;
  return `${isEnd ? '.' : ''}${new URL(`http://${name}/`).hostname.replace(/\.$/, '')}`;
}

/** A mapped IPv4 address counts as the IPv4 address that it is. */
export function isWithin(address: Address, { net, bits }: Net): boolean {
  if (address instanceof ipaddr.IPv4) return net instanceof ipaddr.IPv4 && address.match(net, bits);
  if (net instanceof ipaddr.IPv6) return address.match(net, bits);
  return address.isIPv4MappedAddress() && isWithin(address.toIPv4Address(), { net, bits });
}

function wordsFor(range: string): string | null {
  return ROUTED.has(range) ? null : (WORDS[range] ?? 'a reserved address');
}

/** The IPv4 addresses that an IPv6 one carries. */
function embeddedIn({ parts }: ipaddr.IPv6, range: string): ipaddr.IPv4[] {
  const [p0 = 0, p1 = 0, p2 = 0, p3 = 0, p4 = 0, p5 = 0, p6 = 0, p7 = 0] = parts;
  const last = toIpv4(p6, p7);
  if (range === 'ipv4Mapped' || range === 'rfc6145') return [last];
  // The well-known prefix alone: where one of 64:ff9b:1::/48 has it, and where that leads, its own net says (RFC 8215).
  if (range === 'rfc6052') return p2 === 0 ? [last] : [];
  if (range === '6to4') return [toIpv4(p1, p2), ...isatap(p4, p5, last)];
  // Its server, and its client behind a NAT, bit by bit the other way round (RFC 4380).
  if (range === 'teredo') return [toIpv4(p2, p3), toIpv4(p6 ^ 0xff_ff, p7 ^ 0xff_ff)];
  // IPv4-compatible, deprecated by RFC 4291 and still dialled.
  if (p0 + p1 + p2 + p3 + p4 + p5 === 0) return [last];
  return isatap(p4, p5, last);
}

/** https://www.rfc-editor.org/rfc/rfc5214#section-6.1 */
function isatap(p4: number, p5: number, last: ipaddr.IPv4): ipaddr.IPv4[] {
  return (p4 === 0 || p4 === 0x02_00) && p5 === 0x5e_fe ? [last] : [];
}

function toIpv4(high: number, low: number): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}
