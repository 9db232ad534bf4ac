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
  details.push(...(await absentClasses(queryable, scope, prebuilds.classes, 'prebuilds.classes')))
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

/** Refuses to offer classes that are not there. */
export async function requireClasses(
  queryable: Queryable,
  scope: OrganizationScope,
  names: readonly string[],
): Promise<void> {
  const details = await absentClasses(queryable, scope, names, 'environmentClasses')
  if (details.length === 0) return
  const what = details.map(({ field, given }) => `${field} names ${given}`).join(', ')
  throw new HearthError('invalid', `the project offers what is not there: ${what}`, { details })
}

async function absentClasses(
  queryable: Queryable,
  scope: OrganizationScope,
  names: readonly string[],
  field: string,
): Promise<ErrorDetail[]> {
  const details: ErrorDetail[] = []
  for (const [index, name] of names.entries()) {
    if ((await environmentClasses.find(queryable, scope, name)) !== undefined) continue
    const expected = 'the name or id of an environment class'
    details.push({ field: `${field}.${index}`, given: JSON.stringify(name), expected })
  }
  return details
}
