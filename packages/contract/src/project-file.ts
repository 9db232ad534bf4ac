import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { projectSpecInputSchema } from './project.ts'
import { branchSchema, commandInputSchema } from './provisioning-plan.ts'
import { repositoryHooksSchema } from './repository-hooks.ts'
import { labelsSchema, nameSchema } from './resource.ts'
import { maxAgeMinutesSchema, poolSizeSchema } from './warm-pool.ts'

/** What `hearth apply` sends and `hearth.yaml` holds: a project and its warm pools, whole. */
export const projectDeclarationSchema = z
  .strictObject({
    apiVersion: z.literal('hearth/v1'),
    name: nameSchema,
    labels: labelsSchema.default({}),
    ...projectSpecInputSchema.shape,
    hooks: repositoryHooksSchema.optional(),
    warmPools: z
      .array(
        z.strictObject({
          environmentClass: z.string().min(1).max(63).default('small'),
          enabled: z.boolean().default(true),
          min: poolSizeSchema.default(1),
          branch: branchSchema.nullable().default(null),
          maxAgeMinutes: maxAgeMinutesSchema.nullable().default(null),
          setup: z.array(commandInputSchema).max(64).default([]),
        }),
      )
      .max(16)
      .refine(
        (pools) => new Set(pools.map((pool) => pool.environmentClass)).size === pools.length,
        'one pool per class',
      )
      .default([]),
  })
  .meta({ id: 'ProjectDeclaration' })
export type ProjectDeclaration = z.infer<typeof projectDeclarationSchema>
/** As written, before defaults and short forms are filled in; this is what goes over the wire. */
export type ProjectDeclarationInput = z.input<typeof projectDeclarationSchema>

export const applyResultSchema = z
  .object({
    projectId: z.uuid(),
    project: z.enum(['created', 'updated', 'unchanged']),
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
export interface ProjectFileFault {
  line: number
  column: number
  path: string
  message: string
}

export type ProjectFileResult =
  | { declaration: ProjectDeclarationInput; faults: [] }
  | { declaration: null; faults: ProjectFileFault[] }

/** Reads a project file. Every fault is reported at once, with its place; a file with a fault is refused whole. */
export function parseProjectFile(text: string): ProjectFileResult {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => ({
      ...place(lines, error.pos[0]),
      path: '',
      message: error.message,
    }))
    return { declaration: null, faults }
  }
  const value: unknown = document.toJS()
  const parsed = projectDeclarationSchema.safeParse(value)
  if (parsed.success) return { declaration: value as ProjectDeclarationInput, faults: [] }
  return {
    declaration: null,
    faults: parsed.error.issues.flatMap((issue) => faultsOf(issue, document, lines)),
  }
}

function faultsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ProjectFileFault[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
  return paths.map((at) => ({
    ...place(lines, offsetOf(document, at)),
    path: at.join('.'),
    message: issue.code === 'unrecognized_keys' ? 'is not a field here' : issue.message,
  }))
}

/** Where a path stands in the text; for a missing field, where its nearest parent stands. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  const parent = document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (last !== undefined && isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last)
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0
  }
  const node = document.getIn(path, true)
  if (isNode(node)) return node.range?.[0] ?? 0
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1))
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}
