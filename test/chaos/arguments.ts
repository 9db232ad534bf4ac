import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { breaks } from './children/messages.ts'
import type { Runs } from './run-all.ts'

const usage = `pnpm chaos [--runs N] [--seed N] [--parallel N] [--break ${breaks.join('|')}] [--log LEVEL] [--keep]`

/** Runs have seeds that follow one another, so that each can be repeated alone. */
export function parseArguments(given: readonly string[]): Runs {
  const { values } = parseArgs({
    args: [...given],
    options: {
      runs: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      parallel: { type: 'string', default: String(2 * availableParallelism()) },
      break: { type: 'string' },
      log: { type: 'string', default: 'warn' },
      keep: { type: 'boolean', default: false },
    },
  })
  const chosen = breaks.find((name) => name === values.break)
  if (values.break !== undefined && chosen === undefined) fail(`there is no break ${values.break}`)
  const first = whole('seed', values.seed, 0)
  return {
    seeds: [...Array(whole('runs', values.runs, 1)).keys()].map((index) => first + index),
    parallel: whole('parallel', values.parallel, 1),
    break: chosen ?? null,
    logLevel: values.log,
    keep: values.keep,
  }
}

function whole(name: string, text: string, least: number): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < least)
    fail(`--${name} must be a whole number from ${least} up`)
  return number
}

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(2)
}
