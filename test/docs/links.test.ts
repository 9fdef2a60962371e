// The documents name nothing that is not there: files, headings, flags.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

import { FLAGS } from '../../src/input/program.ts';
import { DOCUMENTS, ROOT } from './documents.ts';

describe.each(DOCUMENTS)('$path', ({ path, prose, anchors, links, codes }) => {
  it('links to files and headings that exist', () => {
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      const known = target === path ? anchors : DOCUMENTS.find((document) => document.path === target)?.anchors;
      if (anchor !== undefined) expect(known, link).toContain(anchor);
    }
  });

  it('names paths that exist', () => {
    const paths = codes.filter((code) => /^(?:src|test|bench|docs|\.ci|\.github)\/[\w./-]*$/.test(code));
    for (const named of paths) expect(existsSync(join(ROOT, named)), named).toBe(true);
  });

  it('names flags that exist', () => {
    const known = FLAGS.map(({ flag }) => flag);
    const ours = codes.filter((code) => !/^(?:apify|npm run) /.test(code));
    for (const flag of ours.flatMap((code) => code.match(/(?<![\w-])--[a-z][\w-]*/g) ?? [])) expect(known, flag).toContain(flag);
  });

  it('has no unfinished part', () => expect(prose).not.toMatch(/\bTODO\b|\bTBD\b|\bXXX\b/));
});
