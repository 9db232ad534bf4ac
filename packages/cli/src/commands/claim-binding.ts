import { type WaitFor, waitForSchema } from '@hearth/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readInputValue } from '../input-value.ts'
import type { Invocation } from '../invocation.ts'
import { badInput } from './options.ts'

export interface BindingOptions {
  var?: Record<string, string>
  secret?: string[]
  ref?: Record<string, string>
  hostname?: string
  start?: string
  waitFor?: WaitFor
}

/** The options of `hearth claim` that say what is bound to the machine. */
export function withBindingOptions(command: Command): Command {
  return command
    .option(
      '--var <name=value>',
      'a variable of /home/.env; repeat for several',
      addPair('a variable', 'NAME=VALUE'),
    )
    .option(
      '--secret <name>',
      'a secret one: its value is that of your environment variable of this name, or else comes from standard input',
      addSecret,
    )
    .option(
      '--ref <repository=ref>',
      'a branch, a tag, a commit or a pull request (pull/12) of a repository; repeat for several',
      addPair('a reference', 'REPOSITORY=REF'),
    )
    .option('--hostname <name>', 'the host name of the machine')
    .option('--start <command>', 'run once when all else is bound; it runs on by itself')
    .addOption(
      new Option(
        '--wait-for <what>',
        'when the claim is given: at its address, or when all this is bound (the default)',
      ).choices(waitForSchema.options),
    )
}

/** The fields of a claim's spec that these options ask for. */
export async function bindingWish(options: BindingOptions, invocation: Pick<Invocation, 'config'>) {
  const secrets = await secretValues(options.secret ?? [], invocation)
  const variables = { ...options.var, ...secrets }
  const repositories = Object.entries(options.ref ?? {}).map(([name, ref]) => ({ name, ref }))
  return {
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
    ...(repositories.length === 0 ? {} : { repositories }),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...(options.start === undefined ? {} : { startCommand: options.start }),
    ...(options.waitFor === undefined ? {} : { waitFor: options.waitFor }),
  }
}

/** Never from the command line, where every user of the machine could read them. */
async function secretValues(
  names: readonly string[],
  { config }: Pick<Invocation, 'config'>,
): Promise<Record<string, { value: string; secret: true }>> {
  const [valued] = names.filter((name) => name.includes('='))
  // Not by the option itself, whose error would show the value.
  if (valued !== undefined)
    throw badInput(
      '--secret',
      `${valued.split('=')[0]} with a value`,
      'its name alone: the value is never on the command line',
    )
  const unset = names.filter((name) => config.variables[name] === undefined)
  const [fromInput, another] = unset
  if (another !== undefined)
    throw badInput('--secret', unset.join(', '), 'at most one that is no environment variable of yours')
  if (fromInput !== undefined && process.stdin.isTTY)
    throw badInput('--secret', fromInput, `an environment variable of yours, or a value on standard input`)
  const input = fromInput === undefined ? '' : await readInputValue()
  return Object.fromEntries(
    names.map((name) => [name, { value: config.variables[name] ?? input, secret: true as const }]),
  )
}

const addSecret = (name: string, names: string[] = []): string[] => [...new Set([...names, name])]

/** `NAME=VALUE`, repeated. */
export function addPair(what: string, form: string) {
  return (given: string, pairs: Record<string, string> = {}): Record<string, string> => {
    const at = given.indexOf('=')
    if (at < 1) throw new InvalidArgumentError(`${what} is ${form}.`)
    return { ...pairs, [given.slice(0, at)]: given.slice(at + 1) }
  }
}
