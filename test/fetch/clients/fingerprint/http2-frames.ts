// What a client says about itself in its first HTTP/2 frames: https://www.rfc-editor.org/rfc/rfc9113#section-6

export interface Http2Start {
  /** `id:value`, in order. */
  readonly settings: readonly string[];
  /** Of the connection's window; 0: it stays as it is. */
  readonly windowUpdate: number;
  /** PRIORITY frames: `stream:exclusive:dependency:weight`. */
  readonly priorities: readonly string[];
  /** The priority in the first HEADERS frame: `exclusive:dependency:weight`; null: none. */
  readonly headersPriority: string | null;
}

const PREFACE_BYTES = 24;
const [HEADERS, PRIORITY, SETTINGS, WINDOW_UPDATE] = [1, 2, 4, 8];
const [ACK, PADDED, WITH_PRIORITY] = [0x1, 0x8, 0x20];

/** @param received From the preface on.
 *  @returns Null while there is no request yet. */
export function parseHttp2Start(received: Buffer): Http2Start | null {
  const settings: string[] = [];
  const priorities: string[] = [];
  let windowUpdate = 0;
  for (let at = PREFACE_BYTES; at + 9 <= received.length;) {
    const length = received.readUIntBE(at, 3);
    const payload = received.subarray(at + 9, at + 9 + length);
    if (payload.length < length) return null;
    const [type, flags] = [received.readUInt8(at + 3), received.readUInt8(at + 4)];
    const stream = received.readUInt32BE(at + 5);
    if (type === SETTINGS && !(flags & ACK)) {
      for (let pair = 0; pair < length; pair += 6)
        settings.push(`${payload.readUInt16BE(pair)}:${payload.readUInt32BE(pair + 2)}`);
    }
    if (type === WINDOW_UPDATE && stream === 0) windowUpdate = payload.readUInt32BE(0);
    if (type === PRIORITY) priorities.push(`${stream}:${priorityOf(payload)}`);
    if (type === HEADERS) {
      const headersPriority = flags & WITH_PRIORITY ? priorityOf(payload.subarray(flags & PADDED ? 1 : 0)) : null;
      return { settings, windowUpdate, priorities, headersPriority };
    }
    at += 9 + length;
  }
  return null;
}

/** As in Akamai's "Passive Fingerprinting of HTTP/2 Clients" (Black Hat Europe 2017).
 *  @param names Of the first request's headers, in order. */
export function http2Fingerprint({ settings, windowUpdate, priorities }: Http2Start, names: readonly string[]): string {
  const pseudo = names.filter((name) => name.startsWith(':')).map((name) => name.charAt(1));
  return [settings.join(';'), windowUpdate, priorities.join(',') || '0', pseudo.join(',')].join('|');
}

function priorityOf(payload: Buffer): string {
  const dependency = payload.readUInt32BE(0);
  return `${dependency >>> 31}:${dependency & 0x7fffffff}:${payload.readUInt8(4) + 1}`;
}
