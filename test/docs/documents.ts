// Reads README.md, docs/ and what lies beside README: their code blocks, links and what stands in `code`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface CodeBlock {
  /** The word after the fence. */
  readonly language: string;
  /** Without the last line break. */
  readonly text: string;
}

export interface Document {
  /** From the project's folder. */
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
  readonly lines: number;
  /** The text without its blocks. */
  readonly prose: string;
  /** Headings as GitHub makes anchors of them. */
  readonly anchors: readonly string[];
  /** Targets of Markdown links. */
  readonly links: readonly string[];
  /** What stands in backticks. */
  readonly codes: readonly string[];
}

const BLOCK = /^```(\w*)\n([^]*?)\n```$/gm;

function readDocument(path: string): Document {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const blocks = [...text.matchAll(BLOCK)].map(([, language = '', body = '']) => ({ language, text: body }));
  const prose = text.replaceAll(BLOCK, '');
  const all = (pattern: RegExp) => [...prose.matchAll(pattern)].map(([, found = '']) => found);
  return {
    path,
    blocks,
    lines: text.trimEnd().split('\n').length,
    prose,
    anchors: all(/^#+ (.+)$/gm).map(toAnchor),
    links: all(/\]\(([^)\s]+)\)/g),
    codes: all(/`([^`\n]+)`/g),
  };
}

function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));

/** README.md first. */
export const DOCUMENTS: readonly Document[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...docs.map((path) => `docs/${path}`).toSorted(),
].map(readDocument);

/** What a user reads: README and the guide. */
export const GUIDE = DOCUMENTS.filter(({ path }) => path === 'README.md' || path.startsWith('docs/guide/'));

/** The commands in `sh` blocks, one each, in the order of the documents. */
export const COMMANDS: readonly string[] = blocksOf('sh').flatMap((text) => text.split(/\n|&&/).map((command) => command.trim()));

export function blocksOf(language: string, documents: readonly Document[] = DOCUMENTS): string[] {
  return documents.flatMap(({ blocks }) => blocks.filter((block) => block.language === language).map(({ text }) => text));
}
