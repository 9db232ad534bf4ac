import type { Service, SpaceType } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { Command } from 'commander'
import { followLog } from '../following/follow-process.ts'
import type { Invocation } from '../invocation.ts'
import type { View } from '../kinds/kind.ts'
import { LastLines } from '../output/last-lines.ts'
import { PrefixedLines } from '../output/prefixed-lines.ts'
import { badInput, examples, viewOf, wholeNumber } from './options.ts'
import { spaceOption } from './space-option.ts'

interface LogsOptions {
  space: SpaceType
  process?: string
  follow: boolean
  tail: number
}

export function appLogsCommand(invocation: Invocation): Command {
  return new Command('logs')
    .summary('what the processes of an app print')
    .argument('<app>', 'name or id of the app')
    .addOption(spaceOption('production'))
    .option('--process <name>', 'only this one of its bentocloud.toml')
    .option('-f, --follow', 'go on until Ctrl-C, or until its release is replaced', false)
    .option('--tail <lines>', 'so many of the last lines of each', wholeNumber(0, 1_000_000), 100)
    .addHelpText(
      'after',
      examples('hearth app logs shop', 'hearth app logs shop -f --space uat --process worker'),
    )
    .action(async (reference: string, options: LogsOptions) => {
      const view = viewOf(invocation)
      const { raw } = invocation.terminal
      const services = await servicesOf(view, reference, options)
      const write = (service: Service) => {
        if (services.length === 1) return { add: raw, end: () => undefined }
        const lines = new PrefixedLines(`${shortName(service, options.space)} | `)
        return { add: (text: string) => raw(lines.add(text)), end: () => raw(lines.rest()) }
      }
      await Promise.all(services.map((service) => print(view, service, options, write(service))))
    })
}

/** Those that run for the current release; `web-1` is the first instance of the process `web`. */
async function servicesOf(view: View, reference: string, options: LogsOptions): Promise<Service[]> {
  const { client, signal } = view
  const { space: type, process } = options
  const app = await client.webApps.get(reference, { signal })
  const space = await client.spaces.get(app.status.spaceIds[type], { signal })
  if (space.status.currentDeploymentId === null)
    throw new HearthError(
      'conflict',
      `nothing is deployed in ${type} of ${reference}: hearth app deploy ${reference}`,
    )
  const all = await client.services.listAll({ environmentId: app.spec.environmentId }, { signal })
  const own = all
    .filter(({ metadata }) => metadata.name.startsWith(`app-${type}-`))
    .sort((one, other) => one.metadata.name.localeCompare(other.metadata.name))
  const found = process === undefined ? own : own.filter((service) => processOf(service, type) === process)
  if (found.length > 0) return found
  if (process !== undefined && own.length > 0)
    throw badInput('--process', process, [...new Set(own.map((each) => processOf(each, type)))].join(' or '))
  throw new HearthError(
    'conflict',
    `no process of ${reference} is there in ${type}: the space is ${space.status.phase}`,
  )
}

/** `app-uat-web-1-0b8a1122` is instance 1 of `web`. */
const shortName = ({ metadata }: Service, type: SpaceType) =>
  metadata.name.slice(`app-${type}-`.length).replace(/-[^-]+$/, '')
const processOf = (service: Service, type: SpaceType) => shortName(service, type).replace(/-\d+$/, '')

interface Output {
  add(text: string): void
  end(): void
}

async function print(view: View, service: Service, { follow, tail }: LogsOptions, output: Output) {
  const kept = new LastLines(tail)
  await followLog(view, service, { follow: false, write: (text) => kept.add(text) })
  output.add(kept.text)
  if (follow)
    // What came while the end was looked for is printed too.
    await followLog(view, service, {
      follow: true,
      write: (text) => {
        const news = kept.newsOf(text)
        if (news !== '') output.add(news)
      },
    })
  output.end()
}
