import { z } from 'zod'
import {
  type AppConfiguration,
  type AppProcess,
  appCommandSchema,
  appLimits,
  appPathSchema,
  appPortSchema,
  appProcessNameSchema,
} from './app-configuration.ts'
import { controlCharacters, startOfText } from './bounded.ts'
import { type BoundedToml, parseBoundedToml, TomlFault } from './bounded-toml.ts'
import { faultsOf } from './faults.ts'
import { nameSchema } from './resource.ts'
import type { Place } from './yaml-place.ts'

/** The file in the top folder of an app that says how it runs. */
export const appConfigurationFileName = 'bentocloud.toml'

const sizes: Readonly<Record<string, number>> = { KB: 1 / 1_024, MB: 1, GB: 1_024 }
const leastMemory = 16
const mostMemory = 1_048_576
const memoryRule = `must be a size such as "512MB" or "2GB", of at least ${leastMemory}MB`

const memorySchema = z.string().transform((text, context) => {
  const [, digits, unit] = /^(\d{1,9})\s*([KMG])i?B?$/i.exec(text.trim()) ?? []
  const mebibytes = Number(digits) * (sizes[`${unit?.toUpperCase()}B`] ?? Number.NaN)
  if (mebibytes >= leastMemory && mebibytes <= mostMemory) return Math.floor(mebibytes)
  context.addIssue({ code: 'custom', message: memoryRule })
  return z.NEVER
})

const cpuRule = 'must be a number of processors between 0.05 and 256, such as "0.5"'
const cpuSchema = z
  .union([z.string().regex(/^\d{1,3}(\.\d{1,3})?$/), z.number()])
  .transform((text, context) => {
    const cpus = Number(text)
    if (cpus >= 0.05 && cpus <= 256) return cpus
    context.addIssue({ code: 'custom', message: cpuRule })
    return z.NEVER
  })

const resourcesShape = { cpu: cpuSchema.optional(), memory: memorySchema.optional() }

const processSchema = z.strictObject({
  command: appCommandSchema,
  uat_command: appCommandSchema.optional(),
  http: z.boolean().default(false),
  http_port: appPortSchema.optional(),
  uat_http_port: appPortSchema.optional(),
  http_path: appPathSchema.optional(),
  health_check: appPathSchema.optional(),
  instances: z.int().min(1).max(appLimits.instances).default(1),
  singleton: z.boolean().default(false),
})
type WrittenProcess = z.output<typeof processSchema>

/** The fields as the file spells them. */
const fileSchema = z
  .strictObject({
    app: z
      .strictObject({
        name: nameSchema.optional(),
        runtime: z
          .enum(['python3', 'python', 'nodejs'])
          .transform((runtime) => (runtime === 'nodejs' ? runtime : 'python3'))
          .optional(),
      })
      .default({}),
    deploy: z
      .strictObject({
        release_commands: z.array(appCommandSchema).max(appLimits.releaseCommands).default([]),
      })
      .default({ release_commands: [] }),
    processes: z.record(appProcessNameSchema, processSchema).default({}),
    resources: z.object(resourcesShape).catchall(z.strictObject(resourcesShape)).default({}),
  })
  .superRefine(refuseUnfit)
type WrittenFile = z.output<typeof fileSchema>

const httpFields = ['http_port', 'uat_http_port', 'http_path', 'health_check'] as const

/** What no single field shows to be wrong. */
function refuseUnfit(file: WrittenFile, context: z.core.$RefinementCtx<unknown>): void {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
  const names = Object.keys(file.processes)
  const known = names.slice(0, appLimits.instances).join(', ')
  if (names.length === 0) refuse(['processes'], 'must have a process, such as [processes.web]')
  const byPath = new Map<string, string>()
  let instances = 0
  for (const [name, written] of Object.entries(file.processes)) {
    instances += written.instances
    if (written.singleton && written.instances > 1)
      refuse(['processes', name, 'instances'], 'must be 1, since singleton is true')
    if (!written.http) {
      for (const field of httpFields)
        if (written[field] !== undefined)
          refuse(['processes', name, field], 'is only for a process with http = true')
      continue
    }
    const path = pathOf(written)
    const other = byPath.get(path)
    if (other !== undefined)
      refuse(
        ['processes', name, 'http_path'],
        `must differ from that of ${other}: both get the requests for ${path}`,
      )
    byPath.set(path, name)
  }
  if (instances > appLimits.instances)
    refuse(
      ['processes'],
      `must have at most ${appLimits.instances} instances of all processes together, since two releases of both spaces ` +
        `are on one machine; these are ${instances}`,
    )
  for (const name of Object.keys(file.resources))
    if (!Object.hasOwn(resourcesShape, name) && !Object.hasOwn(file.processes, name))
      refuse(['resources', name], `must be the name of a process (${known}), or cpu or memory for all`)
}

/** A fault in the file, at a place an editor can go to (both from 1). */
export interface AppConfigurationFault extends Place {
  path: string
  message: string
}

export type AppConfigurationResult =
  | { configuration: AppConfiguration; faults: [] }
  | { configuration: null; faults: AppConfigurationFault[] }

const mostFaults = 20

/** Reads a `bentocloud.toml`. Every fault is told with its place; a file with a fault is refused whole. */
export function readAppConfiguration(text: string): AppConfigurationResult {
  let toml: BoundedToml
  try {
    toml = parseBoundedToml(text)
  } catch (thrown) {
    if (!(thrown instanceof TomlFault)) throw thrown
    return { configuration: null, faults: [{ ...thrown.place, path: '', message: shown(thrown.message) }] }
  }
  const read = fileSchema.safeParse(toml.value)
  if (read.success) return { configuration: configurationOf(read.data), faults: [] }
  const faults = faultsOf(fileSchema, read.error.issues)
    .slice(0, mostFaults)
    .map(({ path, rule }) => ({
      ...toml.placeOf(path),
      path: shown(path.map(String).join('.')),
      message: shown(messageOf(path, rule)),
    }))
  return { configuration: null, faults }
}

/** A fault as one line, as compilers print it. */
export function appConfigurationFaultText({ line, column, path, message }: AppConfigurationFault): string {
  const field = path === '' ? '' : `${path}: `
  return `${appConfigurationFileName}, line ${line}, column ${column}: ${field}${message}`
}

const fieldsAt: readonly (readonly [depth: number, parent: string, fields: readonly string[]])[] = [
  [1, '', Object.keys(fileSchema.shape)],
  [2, 'app', ['name', 'runtime']],
  [2, 'deploy', ['release_commands']],
  [3, 'processes', Object.keys(processSchema.shape)],
  [3, 'resources', Object.keys(resourcesShape)],
]

function messageOf(path: readonly PropertyKey[], rule: string): string {
  if (rule !== 'there is no such field') return rule
  const [, , fields] =
    fieldsAt.find(([depth, parent]) => depth === path.length && (parent === '' || parent === path[0])) ?? []
  return fields === undefined ? rule : `${rule}; there are ${fields.join(', ')}`
}

const everyControlCharacter = new RegExp(controlCharacters, 'g')

/** Messages quote the file. */
const shown = (text: string) => startOfText(text.replace(everyControlCharacter, '\ufffd'), 500)

function configurationOf({ app, deploy, processes, resources }: WrittenFile): AppConfiguration {
  return {
    name: app.name ?? null,
    runtime: app.runtime ?? null,
    releaseCommands: deploy.release_commands,
    processes: Object.fromEntries(
      Object.entries(processes).map(([name, written]) => [name, processOf(written, resources, name)]),
    ),
  }
}

const defaultPort = 8_000
const pathOf = ({ http_path }: WrittenProcess) => http_path?.replace(/(?<=.)\/+$/, '') ?? '/'

function processOf(written: WrittenProcess, resources: WrittenFile['resources'], name: string): AppProcess {
  const own = resources[name] ?? {}
  const port = written.http_port ?? defaultPort
  return {
    command: written.command,
    uatCommand: written.uat_command ?? null,
    http: written.http
      ? {
          port,
          uatPort: written.uat_http_port ?? port,
          path: pathOf(written),
          healthCheck: written.health_check ?? null,
        }
      : null,
    instances: written.instances,
    isSingleton: written.singleton,
    cpus: own.cpu ?? resources.cpu ?? null,
    memoryMebibytes: own.memory ?? resources.memory ?? null,
  }
}
