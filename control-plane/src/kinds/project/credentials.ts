import type { Repository } from '@hearth/contract'
import { type ErrorDetail, HearthError } from '@hearth/foundation'

/** Refuses repositories that are to be opened with a secret the project does not have. */
export function requireCredentials(
  repositories: readonly Pick<Repository, 'name' | 'token' | 'deployKey'>[],
  secretNames: readonly string[],
): void {
  const details = repositories.flatMap((repository, index) =>
    (['token', 'deployKey'] as const).flatMap((field): ErrorDetail[] => {
      const name = repository[field]
      if (name === undefined || secretNames.includes(name)) return []
      return [
        {
          field: `repositories.${index}.${field}`,
          given: JSON.stringify(name),
          expected:
            secretNames.length === 0
              ? 'a secret of the project, which has none'
              : `one of the secrets ${secretNames.join(', ')}`,
        },
      ]
    }),
  )
  if (details.length === 0) return
  const fields = details.map(({ field }) => field).join(', ')
  throw new HearthError('invalid', `the project has no such secret: ${fields}`, { details })
}
