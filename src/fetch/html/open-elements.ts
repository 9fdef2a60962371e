// The stack of open elements, and what is in whose scope: https://html.spec.whatwg.org/#the-stack-of-open-elements
import { BUTTON_SCOPE, IMPLIED_END, SCOPE, SPECIAL, TABLE_ROOT } from './names.ts';
import type { Sink } from './sink.ts';
import type { Attributes } from './tokens.ts';

export interface Formatting {
  readonly name: string;
  readonly attributes: Attributes;
  open: boolean;
  listed: boolean;
}

export interface Frame {
  readonly name: string;
  readonly formatting: Formatting | null;
  readonly space: 'html' | 'svg' | 'math';
}

export class OpenElements {
  readonly frames: Frame[] = [];
  /** How many of them are `<template>`s. */
  templates = 0;
  readonly #sink: Sink;
  /** How many are open by each name, SVG and MathML left out. */
  readonly #counts = new Map<string, number>();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  push(name: string, attributes: Attributes, formatting: Formatting | null = null, space: Frame['space'] = 'html'): void {
    this.#sink.open(name, attributes);
    this.frames.push({ name, formatting, space });
    if (space === 'html') this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  pop(): void {
    const frame = this.frames.pop();
    if (frame === undefined) return;
    if (frame.space === 'html') this.#counts.set(frame.name, (this.#counts.get(frame.name) ?? 1) - 1);
    if (frame.formatting) frame.formatting.open = false;
    if (frame.name === 'template' && frame.space === 'html') this.templates -= 1;
    this.#sink.close();
  }

  get top(): string {
    return this.frames.at(-1)?.name ?? '';
  }

  isOpen(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0;
  }

  popUntil(name: string): void {
    while (this.frames.length > 0 && this.top !== name) this.pop();
    this.pop();
  }

  popTo(names: ReadonlySet<string>): void {
    while (!names.has(this.top) && !TABLE_ROOT.has(this.top)) this.pop();
  }

  inScope(name: string, barriers = SCOPE): boolean {
    if (!this.isOpen(name)) return false;
    for (let at = this.frames.length - 1; at >= 0; at -= 1) {
      const { name: open } = this.frames[at] as Frame;
      if (open === name) return true;
      if (barriers.has(open)) return false;
    }
    return false;
  }

  impliedEnds(except = ''): void {
    while (IMPLIED_END.has(this.top) && this.top !== except) this.pop();
  }

  closeP(): void {
    if (!this.inScope('p', BUTTON_SCOPE)) return;
    this.impliedEnds('p');
    this.popUntil('p');
  }

  endOther(name: string): void {
    if (!this.isOpen(name)) return;
    for (let at = this.frames.length - 1; at >= 0; at -= 1) {
      const { name: open } = this.frames[at] as Frame;
      if (open === name) {
        this.impliedEnds(name);
        while (this.frames.length > at) this.pop();
        return;
      }
      if (SPECIAL.has(open)) return;
    }
  }
}
