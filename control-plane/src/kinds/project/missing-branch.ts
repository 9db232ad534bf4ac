import { HearthError } from '@hearth/foundation'
import type { Queryable } from '../../database/connection.ts'
import type { Encryption } from '../../database/encryption.ts'
import { readSecrets } from './queries.ts'
import { remoteHasBranch } from './remote-branch.ts'
import type { ProjectRow } from './table.ts'

/**
 * Refuses a branch that a repository of the project is known not to have. One whose server cannot be asked from here is
 * let through: the first machine will tell. Not to be called in a transaction: it waits for others' servers.
 */
export async function refuseMissingBranch(
  queryable: Queryable,
  encryption: Encryption,
  project: ProjectRow,
  branch: string | null | undefined,
  field: string,
): Promise<void> {
  if (branch == null) return
  const { repositories } = project.spec
  const secrets = repositories.some(({ token }) => token !== undefined)
    ? await readSecrets(queryable, encryption, project.id)
    : {}
  const answers = await Promise.all(
    repositories.map(({ url, token }) =>
      remoteHasBranch(url, branch, token === undefined ? null : (secrets[token] ?? null)),
    ),
  )
  const without = repositories.filter((_, index) => answers[index] === false).map(({ name }) => name)
  if (without.length === 0) return
  throw new HearthError('invalid', `there is no branch ${branch} in ${without.join(', ')}`, {
    details: [
      { field, given: JSON.stringify(branch), expected: `a branch or tag of ${without.join(' and ')}` },
    ],
  })
}
