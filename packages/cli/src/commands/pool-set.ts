import { readFileSync } from 'node:fs'
import { commandInputSchema, faultsOf, type LifeSpec, type WarmPoolSpec } from '@hearth/contract'
import { HearthError, toError } from '@hearth/foundation'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Invocation } from '../invocation.ts'
import { findPool } from '../kinds/find-pool.ts'
import { warmPoolText } from '../kinds/warm-pool.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import { addLifeOptions, type LifeOptions, lifeOf } from './life-options.ts'
import { badInput, examples, percentage, poolArgument, viewOf, wholeNumber } from './options.ts'

const commandsSchema = z.array(commandInputSchema).max(64)
type Setup = WarmPoolSpec['setup']

interface SetOptions extends LifeOptions {
  size?: number
  max?: number | false
  running?: number | false
  rest?: WarmPoolSpec['rest']
  share?: number
  enable?: boolean
  disable?: boolean
  branch?: string | false
  maxAge?: number | false
  run?: Setup | false
  life?: boolean
  runFile?: string
  output: Format
}

export function setCommand(invocation: Invocation): Command {
  const command = new Command('set')
    .summary('change a pool; members made from other commands or branches are replaced one at a time')
    .argument('<pool>', poolArgument)
    .option('--size <environments>', 'how many unclaimed environments are kept ready', wholeNumber(0, 1_000))
    .option('--max <environments>', 'keep up to so many while many are claimed', wholeNumber(0, 1_000))
    .option('--no-max', 'keep as many as --size says, however many are claimed')
    .option(
      '--running <environments>',
      'how many of them run; the others wait at rest',
      wholeNumber(0, 1_000),
    )
    .option('--no-running', 'all of them run')
    .addOption(
      new Option('--rest <how>', 'how those wait that do not run').choices([
        'suspended',
        'stopped',
        'resumable',
      ]),
    )
    .option(
      '--share <percent>',
      'share of claims for which one is to be there at once, 50 to 99.99',
      percentage,
    )
    .addOption(new Option('--enable', 'keep environments; a cleared pool fills again').conflicts('disable'))
    .option('--disable', 'keep none')
    .option('--branch <branch>', 'clone this branch of every repository')
    .option('--no-branch', 'clone the branches that the project names')
    .option('--max-age <minutes>', 'replace what has been ready for longer', wholeNumber(1, 525_600))
    .option('--no-max-age', 'replace nothing because of its age')
    .addOption(
      new Option('--run <command>', 'set-up command, run in /home as root; repeated, in this order, for all')
        .argParser(addCommand)
        .conflicts('runFile'),
    )
    .option('--no-run', 'no set-up commands')
    .option('--run-file <path>', 'set-up commands as YAML, as below warmPools.setup of a project file')
  return addLifeOptions(command)
    .option('--no-life', 'say nothing of how long claimed environments live: the project does')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth pool set shop --size 5 --max-age 720',
        'hearth pool set shop --size 2 --max 20 --running 2 --rest suspended',
        "hearth pool set shop --run 'cd shop && npm ci' --run 'docker compose pull'",
        'hearth pool set shop --branch next --run-file setup.yaml',
        'hearth pool set shop --idle 30m --idle-then suspend',
        'hearth pool set shop --disable',
      ),
    )
    .action(async (reference: string, options: SetOptions) => {
      const view = viewOf(invocation)
      const given = specOf(options)
      const life = lifeOf(options)
      const changes = Object.keys(given).length > 0 || life !== undefined || options.life === false
      if (!changes) throw badInput('OPTIONS', 'none', 'at least one of those in --help')
      const { metadata, spec: before } = await findPool(view, reference)
      const spec = { ...given, ...changedLife(before.life, life, options) }
      const pool = await view.client.warmPools.update(metadata.id, { spec }, { signal: view.signal })
      const text = await warmPoolText(pool, view)
      show(invocation.terminal, options.output, pool, () => text)
    })
}

/** What the pool said stands, but for what the options say. */
function changedLife(
  before: LifeSpec,
  said: LifeSpec | undefined,
  { life }: SetOptions,
): { life?: LifeSpec } {
  if (life === false) return { life: said ?? {} }
  return said === undefined ? {} : { life: { ...before, ...said } }
}

/** The fields to change, and no others. */
export function specOf(options: SetOptions) {
  const { size, max, running, rest, share, enable, disable, branch, maxAge } = options
  const setup = setupOf(options)
  return {
    ...(size === undefined ? {} : { min: size }),
    ...(max === undefined ? {} : { max: max === false ? null : max }),
    ...(running === undefined ? {} : { running: running === false ? null : running }),
    ...(rest === undefined ? {} : { rest }),
    ...(share === undefined ? {} : { wantedShare: share / 100 }),
    ...(enable === true ? { enabled: true } : {}),
    ...(disable === true ? { enabled: false } : {}),
    ...(branch === undefined ? {} : { branch: branch === false ? null : branch }),
    ...(maxAge === undefined ? {} : { maxAgeMinutes: maxAge === false ? null : maxAge }),
    ...(setup === undefined ? {} : { setup }),
  }
}

function setupOf({ run, runFile }: SetOptions): Setup | undefined {
  if (runFile !== undefined) return readCommands(runFile)
  return run === false ? [] : run
}

function addCommand(text: string, before: Setup | false = []): Setup {
  const parsed = commandInputSchema.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('a command has at least one character.')
  return [...(before === false ? [] : before), parsed.data]
}

function readCommands(path: string): Setup {
  let value: unknown
  try {
    value = parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
  } catch (cause) {
    throw new HearthError('invalid', `cannot read ${path}: ${toError(cause).message}`, { cause })
  }
  const parsed = commandsSchema.safeParse(value ?? [])
  if (parsed.success) return parsed.data
  const details = faultsOf(commandsSchema, parsed.error.issues).map(({ path: at, expected }) => ({
    field: [path, ...at].join('.'),
    given: '',
    expected,
  }))
  throw new HearthError('invalid', `${path} holds no list of commands`, { details })
}
