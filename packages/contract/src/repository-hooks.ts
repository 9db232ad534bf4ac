import { z } from 'zod'
import { controlCharacters, startOfText } from './bounded.ts'
import { type BoundedYaml, parseBoundedYaml, YamlFault } from './bounded-yaml.ts'
import { type DeclaredProcesses, declaredProcessFields, refuseUnfitProcesses } from './declared-processes.ts'
import { type Fault, faultsOf } from './faults.ts'
import { type Command, commandInputSchema } from './provisioning-plan.ts'
import { faultsBeyond, noProcesses, type ProcessBounds, unbound } from './repository-processes.ts'
import { type Place, placeOf } from './yaml-place.ts'

/** What a `hearth.yaml` in a repository has run in every clone of it. */
export const repositoryHooksSchema = z
  .strictObject({
    init: z.array(commandInputSchema).max(64).default([]),
  })
  .meta({
    description: 'Run in each clone of the repository that this file is in, whichever project clones it',
  })

/** The files of a repository that may name its hooks, relative to it; the first that does is followed. */
export const repositoryHookFiles = {
  hearth: 'hearth.yaml',
  script: '.hearth/init',
  capy: '.capy/settings.json',
} as const

export interface RepositoryHookTexts {
  hearth: string | null
  script: string | null
  capy: string | null
}

const hearthFile = z
  .object({
    apiVersion: z.literal('hearth/v1'),
    hooks: repositoryHooksSchema.optional(),
    ...declaredProcessFields,
  })
  .superRefine(refuseUnfitProcesses)
const capyFile = z.object({
  hooks: z.object({ setup: z.array(commandInputSchema).max(64).optional() }).optional(),
})

export type RepositoryHooks =
  | { kind: 'none' }
  /** The executable script is the hook. */
  | { kind: 'script' }
  | { kind: 'commands'; file: string; commands: Command[] }
  | { kind: 'fault'; file: string; message: string }

/** What a repository says itself. */
export interface RepositorySays {
  hooks: RepositoryHooks
  /** The tasks and services of its `hearth.yaml`; none where that has a fault. */
  processes: DeclaredProcesses
}

/**
 * A repository's hooks: those of its `hearth.yaml`, else its script, else the setup hooks of its `.capy/settings.json`;
 * and its tasks and services. A `hearth.yaml` of another program is none of ours.
 */
export function readRepository(texts: RepositoryHookTexts, bounds: ProcessBounds = unbound): RepositorySays {
  const ours = texts.hearth === null ? null : readHearth(texts.hearth, bounds)
  const processes = ours?.processes ?? noProcesses
  return { hooks: hooksOf(texts, ours?.hooks ?? null), processes }
}

function hooksOf({ script, capy: text }: RepositoryHookTexts, ours: Read): RepositoryHooks {
  if (ours !== null && (ours.kind === 'fault' || ours.commands.length > 0)) return ours
  if (script !== null) return { kind: 'script' }
  const capy = text === null ? null : readCapy(text)
  if (capy !== null && (capy.kind === 'fault' || capy.commands.length > 0)) return capy
  return { kind: 'none' }
}

type Read = Extract<RepositoryHooks, { kind: 'commands' | 'fault' }> | null

function readHearth(text: string, bounds: ProcessBounds): { hooks: Read; processes: DeclaredProcesses } {
  const file = repositoryHookFiles.hearth
  const fault = (message: string) => ({
    hooks: { kind: 'fault' as const, file, message },
    processes: noProcesses,
  })
  try {
    const yaml = parseBoundedYaml(text)
    if (!isOurs(yaml.value)) return { hooks: null, processes: noProcesses }
    const read = hearthFile.safeParse(yaml.value)
    if (!read.success) return fault(placedFaults(faultsOf(hearthFile, read.error.issues), yaml))
    const { hooks, tasks, services } = read.data
    const processes = { tasks, services }
    const beyond = faultsBeyond(processes, bounds)
    if (beyond.length > 0) return fault(placedFaults(beyond, yaml))
    return { hooks: { kind: 'commands', file, commands: hooks?.init ?? [] }, processes }
  } catch (thrown) {
    if (!/^apiVersion:\s*['"]?hearth\//m.test(text)) return { hooks: null, processes: noProcesses }
    const at = thrown instanceof YamlFault ? thrown.place : null
    return fault(shown(`${at === null ? '' : spoken(at)}${messageOf(thrown)}`))
  }
}

function placedFaults(faults: readonly Pick<Fault, 'path' | 'rule'>[], yaml: BoundedYaml): string {
  const told = faults.slice(0, mostFaults).map(({ path, rule }) => {
    const field = path.map(String).join('.') || 'the file'
    return `${spoken(placeOf(path, yaml))}${field}: ${rule}`
  })
  return shown(told.join('; '))
}

const spoken = ({ line, column }: Place) => `line ${line}, column ${column}: `

function isOurs(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'apiVersion' in value &&
    String(value.apiVersion).startsWith('hearth/')
  )
}

function readCapy(text: string): Read {
  const file = repositoryHookFiles.capy
  try {
    const read = capyFile.safeParse(JSON.parse(text))
    return read.success
      ? { kind: 'commands', file, commands: read.data.hooks?.setup ?? [] }
      : { kind: 'fault', file, message: faultsOfCapy(read.error) }
  } catch (thrown) {
    return { kind: 'fault', file, message: shown(messageOf(thrown)) }
  }
}

const faultsOfCapy = (error: z.ZodError) =>
  shown(
    error.issues
      .slice(0, mostFaults)
      .map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
      .join('; '),
  )

const messageOf = (thrown: unknown) =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0] ?? ''

const mostFaults = 20
const mostMessageBytes = 1_000
const everyControlCharacter = new RegExp(controlCharacters, 'g')

/** The message quotes the file: it is bounded, and control characters are replaced. */
function shown(message: string): string {
  return startOfText(message.replace(everyControlCharacter, '\ufffd'), mostMessageBytes)
}
