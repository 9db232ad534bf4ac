import { type ClaimBinding, type claimCreateSchema, splitVariables } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { projects, specOf } from '../../project/index.ts'

type ClaimInput = z.output<typeof claimCreateSchema>['spec']

export interface WantedBinding {
  binding: ClaimBinding
  secrets: Record<string, string>
}

/** What a claim asks to be bound; null where it asks for nothing. */
export function wantedBinding(spec: ClaimInput): WantedBinding | null {
  const { plain, secret } = splitVariables(spec.variables)
  const binding = {
    variables: plain,
    secretNames: Object.keys(secret).sort(),
    repositories: spec.repositories,
    hostname: spec.hostname ?? null,
    startCommand: spec.startCommand ?? null,
    waitFor: spec.waitFor ?? 'bound',
  }
  const isNothing =
    Object.keys(spec.variables).length + spec.repositories.length === 0 &&
    spec.hostname === undefined &&
    spec.startCommand === undefined
  return isNothing ? null : { binding, secrets: secret }
}

/** Refuses repositories that the project does not have, before a machine is taken. */
export async function requireRepositories(
  tx: DatabaseTransaction,
  projectId: string,
  { repositories }: Pick<ClaimBinding, 'repositories'>,
): Promise<void> {
  if (repositories.length === 0) return
  const project = await projects.readById(tx, projectId)
  const names = project === undefined ? [] : specOf(project).repositories.map(({ name }) => name)
  const details = repositories.flatMap(({ name }, index) =>
    names.includes(name)
      ? []
      : [
          {
            field: `body.spec.repositories.${index}.name`,
            given: JSON.stringify(name),
            expected:
              names.length === 0 ? 'none: the project has no repository' : `one of ${names.join(', ')}`,
          },
        ],
  )
  const [first] = details
  if (first === undefined) return
  const message = `${first.field}: the project ${project?.name} has no repository ${first.given}; must be ${first.expected}`
  throw new HearthError('invalid', message, { details })
}
