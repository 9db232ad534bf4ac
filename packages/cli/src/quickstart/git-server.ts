import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { HearthError } from '@hearth/foundation'
import { SupervisedProcess, type SupervisorListener } from '../dev/supervised-process.ts'
import { lastLines } from '../process/last-lines.ts'
import { run } from '../process/run.ts'
import { type GitServerAddress, loopback } from './git-server-address.ts'

export interface GitServer {
  /** URL from which guests clone the repository of this name. */
  url(name: string): string
  stop(): Promise<void>
}

/** Serves the bare repositories of a folder, read-only, to the guests of this host. */
export async function serveRepositories(
  folder: string,
  options: {
    address: GitServerAddress
    logFile: string
    variables: Readonly<Record<string, string | undefined>>
    listener: SupervisorListener
    signal: AbortSignal
  },
): Promise<GitServer> {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const { host, port, seenFromGuests } = options.address
  const daemon = new SupervisedProcess(
    {
      name: 'git daemon',
      // Started directly and not through `git`, which would be a second process in between.
      program: join(await execPath(options.variables), 'git-daemon'),
      arguments: [
        `--listen=${host}`,
        `--port=${port}`,
        '--reuseaddr',
        '--export-all',
        ...(host === loopback ? [] : [`--access-hook=${writeAccessHook(folder, host)}`]),
        `--base-path=${folder}`,
        folder,
      ],
      variables: options.variables,
      logFile: options.logFile,
    },
    options.listener,
  )
  daemon.start()
  try {
    await untilListening(options.address, daemon, options.signal)
  } catch (error) {
    await daemon.stop()
    throw error
  }
  return {
    url: (name) => {
      if (!existsSync(join(folder, name)))
        throw new HearthError('internal', `${folder} has no repository ${name}`)
      return `git://${seenFromGuests}:${port}/${name}`
    },
    stop: () => daemon.stop(),
  }
}

/** Access hook that allows only this host to fetch: guests use the host's own address, other hosts do not. */
function writeAccessHook(folder: string, host: string): string {
  const path = join(folder, '.this-machine-alone')
  writeFileSync(path, `#!/bin/sh\n[ "$REMOTE_ADDR" = ${host} ]\n`, { mode: 0o755 })
  return path
}

async function execPath(variables: Readonly<Record<string, string | undefined>>): Promise<string> {
  const asked = await run('git', ['--exec-path'], { environment: variables }).catch((cause: unknown) => {
    throw new HearthError('unavailable', 'git is missing: apt-get install git', { cause })
  })
  return asked.stdout.trim()
}

async function untilListening(
  { host, port }: GitServerAddress,
  daemon: SupervisedProcess,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!(await accepts(host, port))) {
    signal.throwIfAborted()
    daemon.assertRunning(lastLines)
    if (performance.now() > deadline)
      throw new HearthError('unavailable', 'git daemon does not listen after 15 s')
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host })
    const answer = (accepted: boolean) => () => {
      socket.destroy()
      // A refused connection ends at once; a short delay keeps the loop from spinning.
      setTimeout(() => resolve(accepted), accepted ? 0 : 20)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
