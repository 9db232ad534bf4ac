import type { Repository } from '@hearth/contract'
import { CommandError, exitCodes } from '../exit-codes.ts'

/**
 * The folder of the machine that has the repository of the caller's working copy: the one with an address of its remotes,
 * or the only one there is. A machine without repositories has it below `/home`, under its own name.
 */
export function folderInGuest(
  { folder, remotes }: { folder: string; remotes: readonly string[] },
  repositories: readonly Pick<Repository, 'url' | 'name'>[],
): string {
  const own = new Set(remotes.map(normalized))
  const same = repositories.filter(({ url }) => own.has(normalized(url)))
  const [found, another] = same.length > 0 ? same : repositories
  if (found === undefined) return `/home/${safeName(folder.split('/').at(-1) ?? '')}`
  if (another === undefined) return `/home/${found.name}`
  const names = (same.length > 0 ? same : repositories).map(({ name }) => name).join(', ')
  throw new CommandError(
    `the project has several repositories, and which one this is cannot be told: give --repository, one of ${names}`,
    exitCodes.badInput,
  )
}

/** `git@host:group/shop.git` and `https://host/group/shop` are one repository. */
function normalized(url: string): string {
  const path = url
    .replace(/^[a-z+]+:\/\/([^/@]*@)?/i, '')
    .replace(/^[^/@]*@([^/:]+):/, '$1/')
    .replace(/:\d+\//, '/')
  return path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .toLowerCase()
}

const safeName = (name: string) => name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '') || 'workspace'
