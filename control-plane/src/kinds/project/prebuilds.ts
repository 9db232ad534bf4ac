import type { PrebuildConfiguration } from '@hearth/contract'
import { type ErrorDetail, HearthError } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { OrganizationScope } from '../../resource/queries.ts'
import { environmentClasses } from '../environment-class/index.ts'

/** Refuses prebuilds of classes that are not there, and those whose signatures are to be checked with no known secret. */
export async function requirePrebuildNames(
  queryable: Queryable,
  scope: OrganizationScope,
  prebuilds: PrebuildConfiguration | null,
  secretNames: readonly string[],
): Promise<void> {
  if (prebuilds === null) return
  const details: ErrorDetail[] = []
  for (const [index, name] of prebuilds.classes.entries()) {
    if ((await environmentClasses.find(queryable, scope, name)) !== undefined) continue
    details.push({
      field: `prebuilds.classes.${index}`,
      given: JSON.stringify(name),
      expected: 'the name or id of an environment class',
    })
  }
  const { webhookSecret } = prebuilds
  if (webhookSecret !== undefined && !secretNames.includes(webhookSecret)) {
    details.push({
      field: 'prebuilds.webhookSecret',
      given: JSON.stringify(webhookSecret),
      expected:
        secretNames.length === 0
          ? 'a secret of the project, which has none'
          : `one of the secrets ${secretNames.join(', ')}`,
    })
  }
  if (details.length === 0) return
  const what = details.map(({ field, given }) => `${field} names ${given}`).join(', ')
  throw new HearthError('invalid', `the prebuilds name what is not there: ${what}`, { details })
}
