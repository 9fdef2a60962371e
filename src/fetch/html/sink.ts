// Whom a construction tells of a tree, and its word for a tree that cannot be told as a run of events.
import type { Attributes } from './tokens.ts';

/** Is told of a tree from its beginning to its end. */
export interface Sink {
  open(name: string, attributes: Attributes): void;
  text(text: string): void;
  close(): void;
  comment(text: string): void;
  doctype(text: string): void;
}

/** A page of which something must be moved. */
export class NeedsParse5 extends Error {}
