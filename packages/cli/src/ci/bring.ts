import { shellQuote } from '../ssh/quote.ts'
import type { CallersCommit } from './commit.ts'
import { type GitOptions, git } from './git.ts'
import type { Machine } from './machine.ts'

/**
 * Brings a commit into a folder of the machine and checks it out there. Only what the machine lacks is sent, over the way
 * into the machine: no remote needs to have it.
 */
export async function bringCommit(
  machine: Machine,
  { commit, folder: from }: CallersCommit,
  folder: string,
  options: GitOptions,
): Promise<void> {
  const at = shellQuote(folder)
  await machine.shell('making a place for the commit', `[ -e ${at}/.git ] || git init -q -- ${at}`)
  const variables = { ...options.variables, ...machine.gitVariables }
  const refspec = `${commit}:refs/hearth/ci/${commit}`
  await git(['push', '--quiet', '--force', machine.addressOf(folder), refspec], {
    ...options,
    folder: from,
    variables,
  })
  // Its own hooks are for people; what was built there before stays, unless the commit has it.
  const checkOut = [
    `cd ${at}`,
    `git -c advice.detachedHead=false -c core.hooksPath=/dev/null checkout -q --force --detach ${commit}`,
    '{ [ ! -f .gitmodules ] || git submodule update -q --init --recursive; }',
  ].join(' && ')
  await machine.shell('checking the commit out', checkOut)
}
