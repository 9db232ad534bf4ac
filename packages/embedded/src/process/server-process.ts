import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { HearthError } from '@hearth/foundation'
import { isAlive } from './process-table.ts'
import type { ServiceUser } from './service-user.ts'

/** A server that outlives this process if this process is killed, so that the next one can take it over. */
export interface ServerProcess {
  readonly pid: number
  hasExited(): boolean
  /** Resolves true when it has ended, false when it still runs after the time given. */
  exited(timeoutMilliseconds: number): Promise<boolean>
}

interface StartOptions {
  program: string
  arguments: readonly string[]
  /** Its output is added to this file. */
  logFile: string
  user: ServiceUser
}

export async function startServerProcess(options: StartOptions): Promise<ServerProcess> {
  const output = await open(options.logFile, 'a', 0o640)
  try {
    const child = spawn(options.program, options.arguments, {
      cwd: '/',
      // Its own session: a Ctrl-C in the terminal must not reach it before we stop it in order.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      ...options.user,
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) =>
        reject(
          new HearthError('unavailable', `${options.program} could not be started: ${error.message}`, {
            cause: error,
          }),
        ),
      )
    })
    child.unref()
    return ownProcess(child)
  } finally {
    await output.close()
  }
}

function ownProcess(child: ChildProcess): ServerProcess {
  if (child.pid === undefined) throw new Error('a process that was started has no pid')
  const ended = new Promise<true>((resolve) => child.once('exit', () => resolve(true)))
  const hasExited = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid,
    hasExited,
    async exited(timeoutMilliseconds) {
      if (hasExited()) return true
      const controller = new AbortController()
      // The child itself does not keep this process alive; this timer does.
      const late = delay(timeoutMilliseconds, false as const, { signal: controller.signal }).catch(
        () => false as const,
      )
      const result = await Promise.race([ended, late])
      controller.abort()
      return result
    },
  }
}

/** A process that this one did not start: the system tells only its parent when it ends, so we have to ask. */
export function foreignProcess(pid: number): ServerProcess {
  return {
    pid,
    hasExited: () => !isAlive(pid),
    async exited(timeoutMilliseconds) {
      const deadline = performance.now() + timeoutMilliseconds
      while (isAlive(pid)) {
        if (performance.now() > deadline) return false
        await delay(20)
      }
      return true
    },
  }
}

/** Sends the signals one after another, waiting after each, until the process has ended. */
export async function stopServerProcess(
  server: ServerProcess,
  steps: readonly { signal: NodeJS.Signals; waitMilliseconds: number }[],
): Promise<void> {
  for (const { signal, waitMilliseconds } of steps) {
    if (server.hasExited()) return
    try {
      process.kill(server.pid, signal)
    } catch (thrown) {
      if (server.hasExited()) return
      throw thrown
    }
    if (await server.exited(waitMilliseconds)) return
  }
  throw new HearthError('unavailable', `process ${server.pid} does not end`)
}

/** The last lines of a server's output, to show when it would not start. */
export async function lastLines(logFile: string, count: number): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
