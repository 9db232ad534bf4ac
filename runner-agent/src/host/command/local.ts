import { spawn } from 'node:child_process'
import { constants, createReadStream, readFileSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { toError } from '@hearth/foundation'
import {
  CommandError,
  type CommandOptions,
  type CommandResult,
  type CommandRunner,
  defaultOutputLimitBytes,
  defaultTimeoutMilliseconds,
} from './command-runner.ts'
import { LineReader, Output } from './output.ts'
import { inPlainWords } from './plain-words.ts'

/** Commands and files of the host this program runs on. */
export class LocalCommandRunner implements CommandRunner {
  readonly describedAs = 'this host'

  run(command: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
    const [program, ...parameters] = inPlainWords(command)
    return new Promise((resolve, reject) => {
      // Runs in a process group of its own, so that ending it also ends what it started.
      const child = spawn(program, parameters, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
      let cutOff: string | null = null
      const end = (cause: string) => {
        cutOff ??= cause
        if (child.pid !== undefined) killGroup(child.pid)
      }
      const output = new Output(options.outputLimitBytes ?? defaultOutputLimitBytes, () =>
        end('said more than the limit'),
      )
      const limit = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds
      const timer = setTimeout(() => end(`took longer than ${limit} ms`), limit)
      const onAbort = () => end('was called off')
      options.signal?.addEventListener('abort', onAbort, { once: true })
      if (options.signal?.aborted === true) onAbort()
      const settle = () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', onAbort)
      }
      child.stdout.on('data', (chunk: Buffer) => output.add('stdout', chunk))
      child.stderr.on('data', (chunk: Buffer) => output.add('stderr', chunk))
      // A command may ignore its input: a write error is not a failure.
      child.stdin.on('error', () => undefined)
      child.stdin.end(options.input ?? '')
      child.on('error', (error) => {
        settle()
        reject(new CommandError(command, error.message))
      })
      child.on('close', (exitCode, signal) => {
        settle()
        if (cutOff !== null) reject(new CommandError(command, cutOff))
        else if (exitCode === null) reject(new CommandError(command, `ended by ${signal}`))
        else if (isNotThere(exitCode, output)) reject(new CommandError(command, 'this program is not there'))
        else resolve({ exitCode, stdout: output.text('stdout'), stderr: output.text('stderr') })
      })
    })
  }

  follow(
    command: readonly [string, ...string[]],
    line: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const [program, ...parameters] = inPlainWords(command)
    return new Promise((resolve, reject) => {
      const child = spawn(program, parameters, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
      const end = () => {
        if (child.pid !== undefined) killGroup(child.pid)
      }
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      const lines = new LineReader(line)
      child.stdout.on('data', (chunk: Buffer) => lines.add(chunk))
      child.on('error', (error) => reject(new CommandError(command, error.message)))
      child.on('close', () => {
        signal.removeEventListener('abort', end)
        resolve()
      })
    })
  }

  async readFile(path: string): Promise<Buffer | null> {
    try {
      // These files are small and cached in memory: reading them asynchronously costs twenty times as much.
      return readFileSync(path)
    } catch (thrown) {
      if (isMissing(thrown)) return null
      throw thrown
    }
  }

  async writeFile(path: string, content: string | Buffer, mode: number): Promise<void> {
    const draft = `${path}.new`
    try {
      await writeFile(draft, content, { mode })
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown
      await mkdir(dirname(path), { recursive: true, mode: 0o711 })
      await writeFile(draft, content, { mode })
    }
    await rename(draft, path)
  }

  async readPart(path: string, offset: number, length: number): Promise<Buffer> {
    const file = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  async writePart(path: string, offset: number, content: Buffer): Promise<void> {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    try {
      await file.write(content, 0, content.length, offset)
    } finally {
      await file.close()
    }
  }

  async pour(path: string, offset: number, socket: string, timeoutMilliseconds: number): Promise<void> {
    const receiver = await connected({ path: socket })
    const file = createReadStream(path, { start: offset, highWaterMark: 1024 ** 2 })
    const timer = setTimeout(() => receiver.destroy(), timeoutMilliseconds)
    const ended = new Promise<void>((resolve) => receiver.once('close', () => resolve()))
    // A receiver that takes no more has said so by closing.
    receiver.on('error', () => undefined)
    receiver.resume()
    try {
      await new Promise<void>((resolve, reject) => {
        file.once('error', reject)
        void ended.then(resolve)
        file.pipe(receiver)
      })
    } finally {
      clearTimeout(timer)
      file.destroy()
      receiver.destroy()
    }
  }

  async list(path: string): Promise<string[]> {
    try {
      return await readdir(path)
    } catch (thrown) {
      if (isMissing(thrown)) return []
      throw thrown
    }
  }

  async rename(from: string, to: string): Promise<void> {
    try {
      await rename(from, to)
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown
    }
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
  }

  connect(host: string, port: number): Promise<Socket> {
    return connected({ host, port, noDelay: true })
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}

function connected(to: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(to)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Message of `env` for a program that it did not find. */
function isNotThere(exitCode: number, output: Output): boolean {
  return exitCode === 127 && output.text('stderr').startsWith('env: ')
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has ended in the meantime.
  }
}

function isMissing(thrown: unknown): boolean {
  const error = toError(thrown)
  return 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
