import type { Repository } from '@hearth/contract'
import type { Push } from './push.ts'

/** Why a push concerns none of a project's repositories; null when it concerns one. */
export function unconcerned(
  { urls, branch, defaultBranch }: Pick<Push, 'urls' | 'branch' | 'defaultBranch'>,
  repositories: readonly Pick<Repository, 'url' | 'branch' | 'name'>[],
): string | null {
  const pushed = new Set(urls.flatMap((url) => comparable(url) ?? []))
  const same = repositories.filter(({ url }) => pushed.has(comparable(url) ?? ''))
  if (same.length === 0) return 'the project has no such repository'
  const followed = same.map((repository) => repository.branch ?? defaultBranch)
  if (followed.includes(branch)) return null
  return `the project follows ${[...new Set(followed)].map((name) => name ?? 'the default branch').join(', ')} of it, not ${branch}`
}

/** Host and path of a repository: the same for its addresses over https, ssh and git. null for what has no host. */
export function comparable(url: string): string | null {
  const short = /^(?:[^/@\s]+@)?([^/:\s]+):(?!\/\/)(.+)$/.exec(url)
  const long = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/:]+)(?::\d+)?\/(.+)$/i.exec(url)
  const [, host, path] = long ?? short ?? []
  if (host === undefined || path === undefined) return null
  const trimmed = path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  return trimmed === '' ? null : `${host.toLowerCase()}/${trimmed.toLowerCase()}`
}
