// What the command line asks for: which command, its start URLs and flags. Values are checked later, by the schema.
import { SurefootError } from '../core/errors.ts';
import { didYouMean, nearest } from '../core/nearest.ts';
import { isHttpUrl } from './http-url.ts';
import { OPTIONS, shownValue } from './options.ts';
import type { Option } from './options.ts';
import { cutArgv, FLAGS, helpText } from './program.ts';
import { COMMAND_NAMES } from './setting.ts';
import type { Command } from './setting.ts';
import { fromText } from './sources.ts';
import type { Given, Source } from './sources.ts';

/** A command line, understood. */
export type CommandLine =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly source: Source;
      readonly inputFile: string | undefined;
      readonly actor: boolean;
    };

function isCommand(word: string | undefined): word is Command {
  return COMMAND_NAMES.some((name) => name === word);
}

function isNamedBy(flag: string, { name, env }: Option): boolean {
  const bare = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, '');
  return [name, env].some((candidate) => bare(candidate) === bare(flag));
}

function strangeFlag(flag: string, command: Command): string {
  const known = FLAGS.find((meta) => meta.flag === flag);
  if (known?.commands.includes(command)) return `${flag} takes no value.`;
  const of = command === 'crawl' ? '' : ` of ${command}`;
  if (known) return `${flag} is not an option of ${command}. Only ${known.commands.join(' and ')} takes it.`;
  const variable = OPTIONS.find((option) => option.flag === undefined && isNamedBy(flag, option));
  if (variable?.name === 'startUrls') return `${flag} is not an option: start URLs are given as they are.`;
  if (variable) return `${flag} is not an option: set the variable ${variable.env}.`;
  const taken = FLAGS.filter((meta) => meta.commands.includes(command)).map((meta) => meta.flag);
  return `${flag} is not an option${of}.${didYouMean(flag, taken) || ' See --help.'}`;
}

function strangeWord(word: string, command: Command): string {
  if (command !== 'crawl') return `${command} takes options only, got ${shownValue({}, word)}.`;
  if (isCommand(word)) return `"${word}" is a command, and a command comes before everything but options.`;
  if (/^https?:\/\/[^/?#]*@/i.test(word)) {
    return `${shownValue({}, word)} must be an absolute http(s) URL without user name and password, for it is stored with the run: give them by \`headers\` of defineSite().`;
  }
  const [scheme] = /^(?!https?:)[a-z][a-z\d+.-]*:(?=\/)/i.exec(word) ?? [];
  if (scheme !== undefined) return `${shownValue({}, word)} cannot be crawled: only http: and https: can, not ${scheme}`;
  const meant = meantByWord(word);
  const hint = meant === undefined ? 'See --help.' : `Did you mean "${meant}"?`;
  return `${shownValue({}, word)} is neither a command nor an absolute http(s) URL. ${hint}`;
}

function meantByWord(word: string): string | undefined {
  if (word.endsWith('.json') && !word.includes('://')) return `--input ${word}`;
  const looksLikeHost = /^([\w-]+(\.[\w-]+)+|localhost|\[[\da-f:]+\])(:\d+)?([/?#]|$)/i.test(word);
  if (!looksLikeHost) return nearest(word, COMMAND_NAMES);
  return /^(localhost|127\.|\[)/i.test(word) ? `http://${word}` : `https://${word}`;
}

/** Reads a command line: `argv` without node and the script. --help and --version win over everything else in it.
 *  @throws {SurefootError} kind `input`: an option the command does not take, a word that is neither a command nor a
 *  URL, a flag without its value. All of them at once, one a line. */
export function readArgv(argv: readonly string[]): CommandLine {
  const { words, unknown, flags } = cutArgv(argv);
  const named = isCommand(words[0]) ? words[0] : undefined;
  if (flags.has('--help')) return { kind: 'help', text: helpText(named) };
  if (flags.has('--version')) return { kind: 'version' };

  const command = named ?? 'crawl';
  const urls = named ? words.slice(1) : words;
  const strangers = [...flags.keys()].filter(
    (flag) => !FLAGS.some((meta) => meta.flag === flag && meta.commands.includes(command)),
  );
  const badWords = command === 'crawl' ? urls.filter((word) => !isHttpUrl(word)) : urls;
  const problems = [
    ...[...unknown, ...strangers].map((flag) => strangeFlag(flag, command)),
    ...badWords.map((word) => strangeWord(word, command)),
  ];
  if (problems.length > 0) throw new SurefootError('input', problems.join('\n'));

  const source = new Map<Given['name'], Given>();
  for (const { name, flag, kind } of OPTIONS) {
    const text = flag === undefined ? undefined : flags.get(flag);
    if (name === 'startUrls' && urls.length > 0) source.set(name, { name, value: urls, raw: urls, where: () => 'The start URL' });
    else if (flag !== undefined && text !== undefined) {
      source.set(name, { name, value: text === true ? true : fromText(text, kind), raw: text, where: () => flag });
    }
  }
  const inputFile = flags.get('--input');
  return {
    kind: 'run',
    command,
    source,
    inputFile: typeof inputFile === 'string' ? inputFile : undefined,
    actor: flags.has('--actor'),
  };
}
