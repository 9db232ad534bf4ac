import { HearthError } from '@hearth/foundation'
import { run } from '../process/run.ts'

export interface GitOptions {
  /** Where it runs; by default the present folder. */
  folder?: string
  variables: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
}

/** Runs git without a terminal and resolves with what it printed; rejects with what it said when it failed. */
export async function git(
  words: readonly string[],
  { folder, variables, signal }: GitOptions,
): Promise<string> {
  const environment = { ...variables, GIT_TERMINAL_PROMPT: '0' }
  const options = { signal, environment, ...(folder === undefined ? {} : { folder }) }
  const { exitCode, stdout, stderr } = await run('git', words, options).catch((cause: unknown) => {
    throw new HearthError('unavailable', 'git is missing: apt-get install git', { cause })
  })
  signal.throwIfAborted()
  if (exitCode === 0) return stdout
  throw new HearthError('conflict', `git ${words[0]} failed: ${stderr.trim() || `exit ${exitCode}`}`)
}
