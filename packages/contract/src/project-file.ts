import { type Alias, type Document, isAlias, LineCounter, parseDocument, visit, type YAMLError } from 'yaml'
import { z } from 'zod'
import { refuseUnfitProcesses } from './declared-processes.ts'
import { type Fault, faultsOf } from './faults.ts'
import { lifeSpecSchema } from './life.ts'
import { poolSizeSchema } from './pool-size.ts'
import { projectSpecInputSchema } from './project.ts'
import { branchSchema, commandInputSchema } from './provisioning-plan.ts'
import { repositoryHooksSchema } from './repository-hooks.ts'
import { labelsSchema, nameSchema } from './resource.ts'
import { mountPathSchema } from './volume.ts'
import { volumeSizeSchema } from './volume-size.ts'
import { maxAgeMinutesSchema, poolTierDefaults } from './warm-pool.ts'
import { webAppRuntimeInputSchema } from './web-app.ts'
import { type Place, placeAt, placeOf } from './yaml-place.ts'

/** The web app of a project, which `hearth app deploy` makes where it is not there yet. */
export const declaredAppSchema = z.strictObject({
  runtime: webAppRuntimeInputSchema,
  database: z.enum(['postgres']).nullable().default(null),
  cache: z.enum(['redis']).nullable().default(null),
  class: z.string().min(1).max(63).optional().meta({ description: 'Of its machine' }),
})
export type DeclaredApp = z.output<typeof declaredAppSchema>

/** What `hearth apply` sends and `hearth.yaml` holds: a project and its warm pools, whole. */
export const projectDeclarationSchema = z
  .strictObject({
    apiVersion: z.literal('hearth/v1'),
    name: nameSchema,
    labels: labelsSchema.default({}),
    ...projectSpecInputSchema.shape,
    hooks: repositoryHooksSchema.optional(),
    volumes: z
      .record(
        nameSchema,
        z.strictObject({ size: volumeSizeSchema.default('10GiB'), mountPath: mountPathSchema.optional() }),
      )
      .refine((volumes) => Object.keys(volumes).length <= 16, 'at most 16 volumes')
      .default({}),
    warmPools: z
      .array(
        z.strictObject({
          environmentClass: z.string().min(1).max(63).default('small'),
          enabled: z.boolean().default(true),
          min: poolSizeSchema.default(1),
          ...poolTierDefaults,
          branch: branchSchema.nullable().default(null),
          maxAgeMinutes: maxAgeMinutesSchema.nullable().default(null),
          setup: z.array(commandInputSchema).max(64).default([]),
          life: lifeSpecSchema.default({}),
        }),
      )
      .max(16)
      .refine(
        (pools) => new Set(pools.map((pool) => pool.environmentClass)).size === pools.length,
        'one pool per class',
      )
      .default([]),
    app: declaredAppSchema.optional(),
  })
  .superRefine(refuseUnfitProcesses)
  .meta({ id: 'ProjectDeclaration' })
export type ProjectDeclaration = z.infer<typeof projectDeclarationSchema>
/** As written, before defaults and short forms are filled in; this is what goes over the wire. */
export type ProjectDeclarationInput = z.input<typeof projectDeclarationSchema>

export const applyResultSchema = z
  .object({
    projectId: z.uuid(),
    project: z.enum(['created', 'updated', 'unchanged']),
    volumes: z
      .array(
        z.object({ id: z.uuid(), name: z.string(), change: z.enum(['created', 'updated', 'unchanged']) }),
      )
      .default([])
      .meta({ description: 'Those that the file names; a volume that it no longer names is kept' }),
    warmPools: z.array(
      z.object({
        id: z.uuid(),
        environmentClass: z.string(),
        change: z.enum(['created', 'updated', 'unchanged', 'deleted']),
      }),
    ),
  })
  .meta({ id: 'ApplyResult' })
export type ApplyResult = z.infer<typeof applyResultSchema>

/** A fault in a project file, at a place an editor can go to (both from 1). */
export interface ProjectFileFault extends Place {
  path: string
  message: string
}

export type ProjectFileResult =
  | { declaration: ProjectDeclarationInput; faults: [] }
  | { declaration: null; faults: ProjectFileFault[] }

/** The largest project file, and how many times its aliases may be expanded. */
export const projectFileLimits = { bytes: 1024 * 1024, aliases: 100 } as const

/** Reads a project file. Every fault is reported at once, with its place; a file with a fault is refused whole. */
export function parseProjectFile(text: string): ProjectFileResult {
  const lines = new LineCounter()
  if (new TextEncoder().encode(text).byteLength > projectFileLimits.bytes)
    return refused(lines, 0, `the file is larger than ${projectFileLimits.bytes} bytes`)
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const errors = [...document.errors, ...document.warnings]
  if (errors.length > 0) {
    const faults = errors.map((error) => ({
      ...placeAt(error.pos[0], lines),
      path: '',
      message: yamlFault(error),
    }))
    return { declaration: null, faults }
  }
  const alias = unresolvedAlias(document)
  if (alias !== null) {
    return refused(
      lines,
      alias.range?.[0] ?? 0,
      `*${alias.source} names nothing: there is no &${alias.source} before it. If the text itself is meant, quote it: "*${alias.source}"`,
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: projectFileLimits.aliases })
  } catch (thrown) {
    return refused(lines, 0, thrown instanceof Error ? thrown.message : String(thrown))
  }
  const parsed = projectDeclarationSchema.safeParse(value)
  if (parsed.success) return { declaration: value as ProjectDeclarationInput, faults: [] }
  return {
    declaration: null,
    faults: faultsOf(projectDeclarationSchema, parsed.error.issues).map((fault) =>
      placed(fault, document, lines),
    ),
  }
}

function refused(lines: LineCounter, offset: number, message: string): ProjectFileResult {
  return { declaration: null, faults: [{ ...placeAt(offset, lines), path: '', message }] }
}

/** Adds to the parser's message what to do, where the message alone does not say. */
function yamlFault({ code, message }: YAMLError): string {
  switch (code) {
    case 'TAG_RESOLVE_FAILED':
      return `${message}; if the text itself is meant, quote it`
    case 'BAD_ALIAS':
      return `${message}; if text that begins with * is meant, quote it`
    default:
      return message
  }
}

/** An alias without an anchor before it; the parser itself reports these without their place. */
function unresolvedAlias(document: Document): Alias | null {
  const anchors = new Set<string>()
  let found: Alias | null = null
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        if (anchors.has(node.source)) return undefined
        found = node
        return visit.BREAK
      }
      if (node.anchor !== undefined) anchors.add(node.anchor)
      return undefined
    },
  })
  return found
}

function placed({ path, rule }: Fault, document: Document, lines: LineCounter): ProjectFileFault {
  const at = path.filter((part) => typeof part !== 'symbol')
  return { ...placeOf(at, { document, lines }), path: at.join('.'), message: rule }
}
