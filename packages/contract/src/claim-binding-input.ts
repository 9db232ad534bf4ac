import { z } from 'zod'
import { boundedText } from './bounded.ts'
import { bindingLimits, waitForSchema } from './claim-binding.ts'
import { gitReferenceSchema } from './git-reference.ts'
import { guestHostNameSchema } from './host-name.ts'
import { variableNameSchema } from './variables.ts'

/** Names that bash keeps for itself: it refuses the line of the environment file that would set one. */
const readOnly = new Set(['BASHOPTS', 'BASH_VERSINFO', 'EUID', 'PPID', 'SHELLOPTS', 'UID'])

const nameSchema = variableNameSchema.refine(
  (name) => !readOnly.has(name),
  'that bash does not keep for itself',
)
const valueSchema = boundedText(bindingLimits.valueBytes)
const variableSchema = z.union([
  valueSchema,
  z.strictObject({
    value: valueSchema,
    secret: z
      .boolean()
      .default(false)
      .meta({ description: 'Encrypted where it is stored, sealed on its way, and never shown again' }),
  }),
])

/** What a claim may ask for beyond a machine, as people write it. */
export const bindingInputFields = {
  variables: z.record(nameSchema, variableSchema).default({}).meta({
    description:
      'Added to /home/.env of the machine, where they replace those of the project: text, or {value, secret}',
  }),
  repositories: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(255).meta({ description: 'Of a repository of the project' }),
        ref: gitReferenceSchema,
      }),
    )
    .max(bindingLimits.repositories)
    .default([])
    .meta({ description: 'What is checked out instead of what the pool has' }),
  hostname: guestHostNameSchema.optional(),
  startCommand: boundedText(bindingLimits.startCommandBytes)
    .refine((text) => text.trim() !== '', 'a command')
    .optional()
    .meta({ description: 'Run once by bash, as root, in /home; it runs on by itself' }),
  waitFor: waitForSchema.optional(),
} as const

type BindingInput = {
  [Field in keyof typeof bindingInputFields]: z.output<(typeof bindingInputFields)[Field]>
}

/** The variables as they are stored: those that may be shown, and the secret ones. */
export function splitVariables(variables: BindingInput['variables']): {
  plain: Record<string, string>
  secret: Record<string, string>
} {
  const plain: Record<string, string> = {}
  const secret: Record<string, string> = {}
  for (const [name, given] of Object.entries(variables)) {
    const { value, secret: isSecret } = typeof given === 'string' ? { value: given, secret: false } : given
    const into = isSecret ? secret : plain
    into[name] = value
  }
  return { plain, secret }
}

/** Refuses what no single field shows to be wrong: too much in all, and a repository that is named twice. */
export function refuseUnfitBinding(
  { variables, repositories }: Pick<BindingInput, 'variables' | 'repositories'>,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const issue = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message })
  const entries = Object.entries(variables)
  if (entries.length > bindingLimits.variables)
    issue(['variables'], `must be at most ${bindingLimits.variables} variables, these are ${entries.length}`)
  const encoder = new TextEncoder()
  const bytes = entries
    .flatMap(([name, given]) => [name, typeof given === 'string' ? given : given.value])
    .reduce((sum, text) => sum + encoder.encode(text).byteLength, 0)
  if (bytes > bindingLimits.totalBytes)
    issue(
      ['variables'],
      `must have at most ${bindingLimits.totalBytes} bytes together, names and values, these have ${bytes}`,
    )
  const seen = new Set<string>()
  for (const [index, { name }] of repositories.entries()) {
    if (seen.has(name))
      issue(['repositories', index, 'name'], `must be named once, and ${name} is there already`)
    seen.add(name)
  }
}
