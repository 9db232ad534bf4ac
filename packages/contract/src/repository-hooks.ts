import { z } from 'zod'
import { controlCharacters, startOfText } from './bounded.ts'
import { parseBoundedYaml } from './bounded-yaml.ts'
import { type Command, commandInputSchema } from './provisioning-plan.ts'

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

const hearthFile = z.object({ apiVersion: z.literal('hearth/v1'), hooks: repositoryHooksSchema.optional() })
const capyFile = z.object({
  hooks: z.object({ setup: z.array(commandInputSchema).max(64).optional() }).optional(),
})

export type RepositoryHooks =
  | { kind: 'none' }
  /** The executable script is the hook. */
  | { kind: 'script' }
  | { kind: 'commands'; file: string; commands: Command[] }
  | { kind: 'fault'; file: string; message: string }

/**
 * A repository's hooks: those of its `hearth.yaml`, else its script, else the setup hooks of its `.capy/settings.json`.
 * A `hearth.yaml` of another program is none of ours.
 */
export function repositoryHooks(texts: RepositoryHookTexts): RepositoryHooks {
  const ours = texts.hearth === null ? null : readHearth(texts.hearth)
  if (ours !== null && (ours.kind === 'fault' || ours.commands.length > 0)) return ours
  if (texts.script !== null) return { kind: 'script' }
  const capy = texts.capy === null ? null : readCapy(texts.capy)
  if (capy !== null && (capy.kind === 'fault' || capy.commands.length > 0)) return capy
  return { kind: 'none' }
}

type Read = Extract<RepositoryHooks, { kind: 'commands' | 'fault' }> | null

function readHearth(text: string): Read {
  const file = repositoryHookFiles.hearth
  try {
    const value = parseBoundedYaml(text)
    if (!isOurs(value)) return null
    const read = hearthFile.safeParse(value)
    return read.success
      ? { kind: 'commands', file, commands: read.data.hooks?.init ?? [] }
      : { kind: 'fault', file, message: faultsOf(read.error) }
  } catch (thrown) {
    return /^apiVersion:\s*['"]?hearth\//m.test(text)
      ? { kind: 'fault', file, message: messageOf(thrown) }
      : null
  }
}

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
      : { kind: 'fault', file, message: faultsOf(read.error) }
  } catch (thrown) {
    return { kind: 'fault', file, message: messageOf(thrown) }
  }
}

const faultsOf = (error: z.ZodError) =>
  shown(
    error.issues
      .slice(0, mostFaults)
      .map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
      .join('; '),
  )

const messageOf = (thrown: unknown) =>
  shown((thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0] ?? '')

const mostFaults = 20
const mostMessageBytes = 1_000
const everyControlCharacter = new RegExp(controlCharacters, 'g')

/** The message quotes the file: it is bounded, and control characters are replaced. */
function shown(message: string): string {
  return startOfText(message.replace(everyControlCharacter, '\ufffd'), mostMessageBytes)
}
