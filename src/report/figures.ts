// Figures as people read them (en-US), and foreign text made safe to print.
import { toVisible } from '../core/visible.ts';

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const HUNDREDTHS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `1,034` */
export function toCount(count: number): string {
  return WHOLE.format(count);
}

/** `1 page`, `1,034 pages` */
export function toPages(count: number): string {
  return count === 1 ? '1 page' : `${toCount(count)} pages`;
}

/** Three digits that mean something: `0.04`, `38.2`, `1,287`. */
export function toRate(rate: number): string {
  if (rate > 0 && rate < 1) return HUNDREDTHS.format(rate);
  return rate < 100 ? TENTHS.format(rate) : WHOLE.format(rate);
}

/** Bytes in units of 1,000: `812 B`, `14.2 kB`, `1.3 MB`, `20.0 GB`. */
export function toSize(bytes: number): string {
  if (bytes < 1_000) return `${WHOLE.format(bytes)} B`;
  if (bytes < 999_950) return `${TENTHS.format(bytes / 1e3)} kB`;
  if (bytes < 999_950_000) return `${TENTHS.format(bytes / 1e6)} MB`;
  return `${TENTHS.format(bytes / 1e9)} GB`;
}

/** `0.31 s`, `27.1 s`, `5 min 12 s`, `2 h 5 min`. */
export function toDuration(seconds: number): string {
  if (seconds < 9.995) return `${HUNDREDTHS.format(seconds)} s`;
  if (seconds < 59.95) return `${TENTHS.format(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${WHOLE.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** Text from the web on one line, with what could steer a terminal made visible, and no longer than `limit`. */
export function toPlainText(text: string, limit: number): string {
  const plain = toVisible(text.replaceAll(/\s+/g, ' ').trim());
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}
