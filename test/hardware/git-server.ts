import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'
import { run } from './command.ts'
import { answers } from './ports.ts'

export interface GitServer extends AsyncDisposable {
  /** The port, which an agent's HEARTH_GUEST_ALLOW opens to guests. */
  opened: string
  /** Address of the server for guests, which is that of their router. */
  url(repository: string): string
}

const identity = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@hearth.example',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@hearth.example',
}

/** A bare repository `served/NAME.git` below the folder, with one commit of the files; scripts are executable. */
export async function makeRepository(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const work = join(folder, 'work')
  const served = join(folder, 'served')
  const git = (...command: string[]) =>
    run(['git', ...command], { cwd: work, env: { ...process.env, ...identity } })
  await mkdir(work, { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), content)
    if (content.startsWith('#!')) await chmod(join(work, path), 0o755)
  }
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Begin')
  await git('clone', '--quiet', '--bare', work, join(served, `${name}.git`))
  return served
}

/** Git's condition for serving a repository of another user. */
export const gitEnvironment = {
  ...process.env,
  ...identity,
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
}

/** Git's own daemon for such a repository. */
export async function serveRepository(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<GitServer> {
  const served = await makeRepository(folder, name, files)
  const port = await freePort()
  const options = ['--export-all', '--reuseaddr', '--informative-errors', `--base-path=${served}`]
  const daemon = spawn('git', ['daemon', '--listen=127.0.0.1', `--port=${port}`, ...options, served], {
    stdio: 'ignore',
    env: gitEnvironment,
  })
  const exited = new Promise<void>((resolve) => daemon.once('exit', () => resolve()))
  await eventually(() => answers(port), { timeoutMilliseconds: 10_000 })
  return {
    opened: `git=127.0.0.1:${port}`,
    url: (repository) => `git://10.0.2.2:${port}/${repository}.git`,
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGTERM')
      await exited
    },
  }
}
