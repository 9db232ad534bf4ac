import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { run } from '../process/run.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Creates a real git repository, `NAME` in the folder, from an example's files. Author, date and message are fixed,
 * so that the same files give the same commit, and environments made from it stay current after a restart.
 */
export async function repositoryOfFolder(
  source: string,
  target: { folder: string; name: string },
  variables: Variables,
): Promise<void> {
  const work = join(target.folder, `.${target.name}.work`)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(target.folder, { recursive: true, mode: 0o755 })
  cpSync(source, work, { recursive: true })
  const moment = '2026-01-01T00:00:00Z'
  const environment = {
    ...variables,
    GIT_AUTHOR_NAME: 'Hearth',
    GIT_AUTHOR_EMAIL: 'hearth@localhost',
    GIT_AUTHOR_DATE: moment,
    GIT_COMMITTER_NAME: 'Hearth',
    GIT_COMMITTER_EMAIL: 'hearth@localhost',
    GIT_COMMITTER_DATE: moment,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
  }
  const git = (...words: string[]) => runGit(words, { folder: work, environment })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('commit', '--quiet', '--message=Count the words of texts')
  await mirror(work, target, environment)
  rmSync(work, { recursive: true, force: true })
}

/** Creates a bare copy of a repository on this host, for the guests to clone. */
export async function repositoryOfPath(
  source: string,
  target: { folder: string; name: string },
  variables: Variables,
): Promise<void> {
  mkdirSync(target.folder, { recursive: true, mode: 0o755 })
  await mirror(source, target, variables)
}

async function mirror(
  source: string,
  target: { folder: string; name: string },
  environment: Variables,
): Promise<void> {
  const bare = join(target.folder, target.name)
  const beside = `${bare}.new`
  rmSync(beside, { recursive: true, force: true })
  // The user asked for this path, whoever owns it.
  await runGit(['-c', 'safe.directory=*', 'clone', '--quiet', '--bare', '--no-hardlinks', source, beside], {
    folder: target.folder,
    environment,
  })
  rmSync(bare, { recursive: true, force: true })
  renameSync(beside, bare)
}

async function runGit(
  words: readonly string[],
  options: { folder: string; environment: Variables },
): Promise<void> {
  const done = await run('git', words, options).catch((cause: unknown) => {
    throw new HearthError('unavailable', 'git is missing: apt-get install git', { cause })
  })
  if (done.exitCode !== 0) throw new HearthError('invalid', `git ${words.join(' ')}: ${done.stderr.trim()}`)
}

/** Whether a text names a folder on this host rather than a URL. */
export function isLocalRepository(text: string): boolean {
  return !/^[a-z+]+:\/\//.test(text) && existsSync(text) && readdirSync(text).length > 0
}
