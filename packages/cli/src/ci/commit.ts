import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { type GitOptions, git } from './git.ts'

/** What is brought to the machine. */
export interface CallersCommit {
  /** The top folder of the caller's working copy. */
  folder: string
  commit: string
  /** Whether it has changes that no commit of the caller's has. */
  isDirty: boolean
  /** The addresses of its remotes. */
  remotes: string[]
}

/**
 * The commit that is checked out where the command runs; with `dirty` one that has the uncommitted changes and the new
 * files as well, which is on no branch. Refuses changes that would be left behind.
 */
export async function callersCommit(
  options: GitOptions & { isDirtyWanted: boolean },
): Promise<CallersCommit> {
  const folder = (await git(['rev-parse', '--show-toplevel'], options)).trim()
  const inside = { ...options, folder }
  const head = (await git(['rev-parse', '--verify', 'HEAD^{commit}'], inside)).trim()
  const changes = (await git(['status', '--porcelain', '--untracked-files=normal'], inside)).trimEnd()
  const remotes = (await git(['config', '--get-regexp', '^remote\\..*\\.url$'], inside).catch(() => ''))
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
  if (changes === '') return { folder, commit: head, isDirty: false, remotes }
  if (!options.isDirtyWanted) {
    const lines = changes.split('\n')
    const shown = lines.slice(0, 5).join('\n')
    const more = lines.length > 5 ? `\n... and ${lines.length - 5} more` : ''
    throw new CommandError(
      `there are changes that are in no commit: commit them, or bring them with --dirty\n${shown}${more}`,
      exitCodes.conflict,
    )
  }
  return { folder, commit: await commitOfEverything(inside, head), isDirty: true, remotes }
}

/** Made beside the index and the branches: the working copy stays as it is. */
async function commitOfEverything(options: GitOptions, head: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-ci-'))
  const author = { NAME: 'hearth ci', EMAIL: 'hearth-ci@localhost' }
  const variables = {
    ...options.variables,
    GIT_INDEX_FILE: join(folder, 'index'),
    GIT_AUTHOR_NAME: author.NAME,
    GIT_AUTHOR_EMAIL: author.EMAIL,
    GIT_COMMITTER_NAME: author.NAME,
    GIT_COMMITTER_EMAIL: author.EMAIL,
  }
  const beside = { ...options, variables }
  try {
    await git(['read-tree', head], beside)
    await git(['add', '--all'], beside)
    const tree = (await git(['write-tree'], beside)).trim()
    const message = 'What was not committed'
    return (await git(['commit-tree', tree, '-p', head, '-m', message], beside)).trim()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
