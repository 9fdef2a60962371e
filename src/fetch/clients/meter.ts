// Counts the bytes of connections, as the outermost TCP socket has them: TLS and the setting up of a tunnel included.
import type { Socket } from 'node:net';

import type { CountTraffic, TrafficKey } from '../../core/proxy.ts';

export interface Meter {
  /** From the socket's birth to its close.
   *  @param socket The TCP socket itself: one that encrypts counts what it was given. */
  watch(socket: Socket, host: string): void;
  /** Tells what has passed the open connections to this host since it was last told. */
  report(host: string): void;
}

const NO_METER: Meter = { watch() {}, report() {} };

/** Each byte is told once: by `report()`, or when its connection closes. */
export function createMeter(count: CountTraffic | undefined, key: Omit<TrafficKey, 'host'>): Meter {
  if (!count) return NO_METER;
  const reportsByHost = new Map<string, Set<() => void>>();
  return {
    watch(socket, host) {
      const told = { sent: 0, received: 0 };
      const tell = () => {
        const sent = socket.bytesWritten - told.sent;
        const received = socket.bytesRead - told.received;
        if (sent === 0 && received === 0) return;
        told.sent += sent;
        told.received += received;
        count({ ...key, host }, { sent, received });
      };
      // Each answer asks all connections of its host. One that has received nothing is not the one that it came by.
      const report = () => {
        if (socket.bytesRead > told.received) tell();
      };
      const reports = reportsByHost.get(host) ?? new Set();
      reportsByHost.set(host, reports.add(report));
      socket.once('close', () => {
        tell();
        reports.delete(report);
        if (reports.size === 0) reportsByHost.delete(host);
      });
    },
    report(host) {
      for (const report of reportsByHost.get(host) ?? []) report();
    },
  };
}
