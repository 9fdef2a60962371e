// Commander's part: cuts the command line into words and options, and lays out --help. Decides and prints nothing.
import { CommanderError, Command as Program, Option as Flag } from 'commander';

import { SurefootError } from '../core/errors.ts';
import { OPTIONS, OTHER_FLAGS, shownDefault } from './options.ts';
import type { Option } from './options.ts';
import { COMMANDS, COMMAND_NAMES } from './setting.ts';
import type { Command, FlagMeta } from './setting.ts';

const START = 'npx tsx src/main.ts';
/** Columns of --help. */
const WIDTH = 100;

const EXAMPLES: Readonly<Record<Command, readonly string[]>> = {
  crawl: ['https://news.ycombinator.com --max-requests 50 --format csv', '--input input.json --storage-dir storage/nightly'],
  verify: ['verify --url https://example.com'],
  status: ['status --storage-dir storage/nightly'],
  export: ['export --format jsonl --out results'],
  'retry-failed': ['retry-failed --verdict transient,throttled'],
  'demo-site': ['demo-site --port 8080'],
};

const EXIT_CODES = `Exit codes:
  0              all done
  1              bad input or setup
  2              finished, some requests failed
  3              stopped by a budget or a proxy: run the same command again to resume
  129, 130, 143  interrupted: run the same command again to resume`;

/** Every flag there is, settings first. */
export const FLAGS: readonly (FlagMeta & { readonly flag: `--${string}` })[] = [...OPTIONS, ...OTHER_FLAGS].flatMap(
  (meta: FlagMeta) => (meta.flag ? [{ ...meta, flag: meta.flag }] : []),
);

/** The command line, cut up: nothing in it has been judged yet. */
export interface CutArgv {
  readonly words: readonly string[];
  /** Flags that no command has, without their values. */
  readonly unknown: readonly string[];
  /** By flag: its text, or true for an on/off flag. A list flag given twice has both texts, with a comma between. */
  readonly flags: ReadonlyMap<string, string | true>;
}

function valueReader(meta: FlagMeta & Partial<Option>) {
  return (text: string, before: string | undefined): string => {
    // Commander takes any next word as the value, so `--out --fresh` would make a directory named "--fresh".
    if (text === '' || FLAGS.some(({ flag }) => flag === text)) throw missingValue(meta);
    return meta.kind === 'list' && before !== undefined ? `${before},${text}` : text;
  };
}

function missingValue({ flag, allowed }: FlagMeta): SurefootError {
  return new SurefootError('input', `${flag} needs a value${allowed ? `: ${allowed}` : ''}.`);
}

function toFlag(meta: (typeof FLAGS)[number] & Partial<Option>): Flag {
  const value = meta.placeholder ? ` <${meta.placeholder}>` : '';
  const short = meta.flag === '--help' ? '-h, ' : meta.flag === '--version' ? '-V, ' : '';
  const notes = [meta.name && `default: ${shownDefault(meta as Option)}`, meta.env].filter(Boolean).join('; ');
  const flag = new Flag(`${short}${meta.flag}${value}`, notes ? `${meta.help} (${notes})` : meta.help);
  if (meta.placeholder) flag.argParser(valueReader(meta));
  return flag;
}

function silentProgram(name: string): Program {
  return new Program(name)
    .exitOverride()
    .helpOption(false)
    .helpCommand(false)
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, getOutHelpWidth: () => WIDTH, getOutHasColors: () => false })
    .configureHelp({ optionTerm: (flag) => flag.flags.replaceAll(/[<>]/g, ''), showGlobalOptions: false });
}

/** Cuts a command line up. Flags may stand anywhere, also before the command.
 *  @throws {SurefootError} kind `input`: a flag that needs a value has none. */
export function cutArgv(argv: readonly string[]): CutArgv {
  const program = silentProgram(START);
  for (const meta of FLAGS) program.addOption(toFlag(meta));
  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    return {
      words: operands,
      unknown: unknown.filter((word) => word.startsWith('-')).map((word) => word.replace(/=.*$/s, '')),
      flags: new Map(
        program.options.flatMap((flag) => {
          const value: unknown = program.getOptionValue(flag.attributeName());
          return typeof value === 'string' || value === true ? [[flag.long ?? flag.flags, value]] : [];
        }),
      ),
    };
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    const meta = FLAGS.find(({ flag }) => thrown.message.includes(`'${flag} `));
    throw meta ? missingValue(meta) : new SurefootError('input', thrown.message, { cause: thrown });
  }
}

const VARIABLES = OPTIONS.filter(({ name, flag }) => flag === undefined && name !== 'startUrls');

/** The sections of --help on settings without a flag: those that the command takes, and the others if it is help on all. */
function variablesText(of: Command, withOthers: boolean): string {
  const layout = silentProgram('').createHelp();
  layout.prepareContext({ helpWidth: WIDTH });
  const width = Math.max(...VARIABLES.map(({ env }) => env.length));
  const headingOf = ({ commands }: Option) => (commands.includes(of) ? 'Variables:' : `Variables of ${commands.join(', ')}:`);
  const shown = VARIABLES.filter(({ commands }) => withOthers || commands.includes(of));
  const lines = [...new Set(shown.map(headingOf))].flatMap((heading) => {
    const items = shown
      .filter((option) => headingOf(option) === heading)
      .map((option) => layout.formatItem(option.env, width, `${option.help} (default: ${shownDefault(option)})`, layout));
    return layout.formatItemList(heading, items, layout);
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** The text of --help, without a trailing newline: of all of it, or of one command. */
export function helpText(command?: Command): string {
  const program = silentProgram(command ? `${START} ${command}` : START);
  const of = command ?? 'crawl';
  program.usage(command ? (of === 'crawl' ? '[startUrl...] [options]' : '[options]') : '[command] [startUrl...] [options]');
  if (!command) for (const name of COMMAND_NAMES) program.addCommand(silentProgram(name).description(COMMANDS[name]));
  if (command) program.description(COMMANDS[command]);
  if (of === 'crawl') {
    const words = OPTIONS.find(({ name }) => name === 'startUrls');
    if (words) program.argument('[startUrl...]', `${words.help} (default: ${shownDefault(words)}; ${words.env})`);
  }
  for (const meta of FLAGS) {
    const taken = meta.commands.includes(of);
    if (taken) program.addOption(toFlag(meta));
    else if (!command) program.addOption(toFlag(meta).helpGroup(`Options of ${meta.commands.join(', ')}:`));
  }
  const examples = EXAMPLES[of].map((example) => `  ${START} ${example}`);
  return `${program.helpInformation()}\n${variablesText(of, !command)}Examples:\n${examples.join('\n')}\n\n${EXIT_CODES}`;
}
