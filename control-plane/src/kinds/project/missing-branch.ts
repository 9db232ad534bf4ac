import { setMaxListeners } from 'node:events'
import type { Repository } from '@hearth/contract'
import { Deadline, HearthError } from '@hearth/foundation'
import type { Services } from '../../api/services.ts'
import { readSecrets } from './queries.ts'
import { askForBranch, type BranchAnswer } from './remote-branch.ts'
import type { ProjectRow } from './table.ts'

/** For all repositories of a request together. */
const patienceMilliseconds = 8_000
/** So many repositories are named in a sentence. */
const mostNamed = 5

/** Where a branch is looked for. */
export interface BranchSources {
  repositories: readonly Repository[]
  /** By name, in plain text: some open a repository. */
  secrets(): Promise<Readonly<Record<string, string>>>
}

/** The repositories of a project that is stored. */
export function sourcesOf(
  { database, encryption }: Pick<Services, 'database' | 'encryption'>,
  { id, spec }: ProjectRow,
): BranchSources {
  return { repositories: spec.repositories, secrets: () => readSecrets(database, encryption, id) }
}

/**
 * Refuses a branch that a repository of the project is known not to have. Repositories whose server cannot be asked
 * from here are accepted unchecked: the first boot will show whether they have it. Returns a sentence that names them
 * and says why, or null when all were checked. Must not be called in a transaction, since it waits for other people's
 * servers.
 */
export async function refuseMissingBranch(
  { outgoing }: Pick<Services, 'outgoing'>,
  { repositories, secrets: readTheirs }: BranchSources,
  wanted: { branch: string | null | undefined; field: string },
  signal: AbortSignal,
): Promise<string | null> {
  const { branch, field } = wanted
  if (branch == null) return null
  const secrets = repositories.some(({ token }) => token !== undefined) ? await readTheirs() : {}
  using deadline = new Deadline(patienceMilliseconds, signal)
  // Several listeners for each repository.
  setMaxListeners(2 * repositories.length + 10, deadline.signal)
  const answers = await Promise.all(
    repositories.map(({ url, token }) => {
      const asked = { url, branch, token: token === undefined ? null : (secrets[token] ?? null) }
      return askForBranch(outgoing, asked, deadline.signal)
    }),
  )
  const without = repositories.filter((_, index) => answers[index] === 'missing').map(({ name }) => name)
  if (without.length === 0) return leftOut(branch, repositories, answers)
  throw new HearthError('invalid', `there is no branch ${branch} in ${without.join(', ')}`, {
    details: [
      { field, given: JSON.stringify(branch), expected: `a branch or tag of ${without.join(' and ')}` },
    ],
  })
}

function leftOut(
  branch: string,
  repositories: readonly Repository[],
  answers: readonly BranchAnswer[],
): string | null {
  const causes = repositories.flatMap(({ name }, index) => {
    const answer = answers[index]
    return typeof answer === 'object' ? `${name} (${answer.unknown})` : []
  })
  if (causes.length === 0) return null
  const others = causes.length > mostNamed ? ` and ${causes.length - mostNamed} more` : ''
  return `could not check branch ${branch} in ${causes.slice(0, mostNamed).join(', ')}${others}: the first environment shows whether it exists`
}
