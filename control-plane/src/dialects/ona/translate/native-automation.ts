import { createHash } from 'node:crypto'
import { processNameSchema, startOfText } from '@hearth/contract'
import { HearthError, invalidValue } from '@hearth/foundation'
import type {
  AutomationTrigger,
  EnvironmentVariableItem,
  RunsOn,
} from '../generated/gitpod/v1/automation_resource_pb.ts'
import { nativeName } from './native-project.ts'

/** Labels that keep what Hearth has no field for. */
export const automationLabels = {
  reference: 'ona/reference',
  name: 'ona/name',
  description: 'ona/description',
} as const

const mostLabelBytes = 255

export interface Described {
  reference?: string
  name?: string | undefined
  description?: string | undefined
}

/** What the labels say of it; a description is kept as far as a label goes. */
export const labelsOf = ({ reference, name, description }: Described) => ({
  ...(reference === undefined ? {} : { [automationLabels.reference]: reference }),
  [automationLabels.name]: name,
  [automationLabels.description]:
    description === undefined ? undefined : startOfText(description, mostLabelBytes),
})

/** The name of Hearth of what has a reference: the same where it is one, else one that no other reference gives. */
export function nameOfReference(reference: string): string {
  if (processNameSchema.safeParse(reference).success) return reference
  const digest = createHash('sha256').update(reference).digest('hex').slice(0, 8)
  return `${nativeName(reference)}-${digest}`
}

/** A secret is given as the variable of its own name. */
export function nativeEnvironment(
  env: readonly EnvironmentVariableItem[],
  known: readonly { id: string; name: string }[],
): { variables: Record<string, string>; secrets: string[] } {
  const variables = new Map<string, string>()
  const secrets: string[] = []
  for (const [index, { name, source }] of env.entries())
    if (variables.has(name) || secrets.includes(name))
      throw invalidValue({
        field: `spec.env[${index}].name`,
        given: startOfText(name, 64),
        expected: 'each name once',
      })
    else if (source.case === 'value') variables.set(name, source.value)
    else if (source.case === undefined)
      throw invalidValue({
        field: `spec.env[${index}]`,
        given: 'nothing',
        expected: 'a value, or valueFrom a secret',
      })
    else {
      const id = source.value.source.value?.id ?? ''
      const secret = known.find((one) => one.id === id)
      if (secret === undefined)
        throw invalidValue({
          field: `spec.env[${index}].valueFrom.secretRef.id`,
          given: startOfText(id, 64),
          expected: 'the id of a secret of the project',
        })
      if (secret.name !== name)
        throw invalidValue({
          field: `spec.env[${index}].name`,
          given: startOfText(name, 64),
          expected: `${secret.name}, as the secret is called`,
        })
      secrets.push(name)
    }
  // A map, since what has no prototype to hide takes any name, and the rules of variables refuse it.
  return { variables: Object.fromEntries(variables), secrets }
}

export const triggersOf = (triggers: readonly AutomationTrigger[]): string[] =>
  triggers.flatMap(({ trigger }) => trigger.case ?? [])

/** What is made in a machine that is there begins when it is started; what is to begin by itself is declared. */
export function requireManual(triggers: readonly string[], field = 'metadata.triggeredBy'): void {
  const other = triggers.find((trigger) => trigger !== 'manual')
  if (other !== undefined)
    throw new HearthError(
      'unprocessable',
      `${field}: must be manual, got ${startOfText(other, 64)}: what begins by itself is declared by the project or hearth.yaml of a repository`,
    )
}

/** Everything runs in the machine itself. */
export function requireMachine(runsOn: RunsOn | undefined): void {
  if (runsOn?.target.case === 'docker')
    throw new HearthError(
      'unprocessable',
      'spec.runsOn: must be machine, got docker: let the command run the container',
    )
}
