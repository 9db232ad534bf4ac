import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import type { CommandRunner } from './command-runner.ts'
import { LocalCommandRunner } from './local.ts'
import { SecureShellCommandRunner } from './secure-shell.ts'

const hostKey = generateSecureShellKeyPair('host')
const userKey = generateSecureShellKeyPair('user')
const clients = new Set<ssh2.Connection>()

/** An SSH server that runs commands by `sh -c`, as sshd does. */
const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
  clients.add(client)
  client.on('error', () => undefined)
  client.on('close', () => clients.delete(client))
  client.on('authentication', (context) => context.accept())
  client.on('ready', () => {
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _, { command }) => {
        const channel = acceptExec()
        const child = spawn('sh', ['-c', command])
        child.stdin.on('error', () => undefined)
        channel.pipe(child.stdin)
        child.stdout.pipe(channel, { end: false })
        child.stderr.pipe(channel.stderr, { end: false })
        child.on('close', (code) => {
          channel.exit(code ?? 255)
          channel.end()
        })
      })
    })
  })
})

let folder: string
let remote: SecureShellCommandRunner
let port: number
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth runner's "))
  port = await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  const options = { host: '127.0.0.1', port, user: 'root' }
  remote = new SecureShellCommandRunner({
    ...options,
    privateKey: userKey.privateKey,
    hostKey: hostKey.publicKey,
  })
})
afterAll(async () => {
  await remote.close()
  for (const client of clients) client.end()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const runners: [string, () => CommandRunner][] = [
  ['on this host', () => new LocalCommandRunner()],
  ['over SSH', () => remote],
]
describe.each(runners)('a command runner %s', (_, runnerOf) => {
  test('gives exit code, output and error output of a command with nasty words', async () => {
    const word = `it's "a" $HOME \`id\` \\ \n ü *`
    const result = await runnerOf().run(['sh', '-c', 'printf %s "$1"; echo no >&2; exit 3', 'sh', word])
    expect(result).toEqual({ exitCode: 3, stdout: word, stderr: 'no\n' })
  })

  test('reads every program’s words in the C locale, whatever language the host speaks', async () => {
    process.env.LC_ALL = 'de_DE.UTF-8'
    process.env.LANGUAGE = 'de'
    try {
      const said = await runnerOf().run(['sh', '-c', 'echo "$LC_ALL $(env | grep -c ^LANGUAGE)"'])
      expect(said.stdout).toBe('C 0\n')
      const lines: string[] = []
      const stop = new AbortController()
      await runnerOf().follow(['sh', '-c', 'echo "$LC_ALL"'], (line) => lines.push(line), stop.signal)
      expect(lines).toEqual(['C'])
    } finally {
      delete process.env.LC_ALL
      delete process.env.LANGUAGE
    }
  })

  test('follows a command that goes on, line by line, and ends it when told to', async () => {
    const path = join(folder, 'followed')
    const stop = new AbortController()
    const script = `echo one; printf t; printf 'wo\\n'; echo $$ >"${path}"; exec sleep 60`
    const lines: string[] = []
    const ended = runnerOf().follow(['sh', '-c', script], (line) => lines.push(line), stop.signal)
    await expect.poll(() => lines, { timeout: 10_000 }).toEqual(['one', 'two'])
    await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8')).toMatch(/\d\n/)
    stop.abort(new Error('enough'))
    await ended
    const pid = Number(readFileSync(path, 'utf8'))
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })

  test('passes the input', async () => {
    expect((await runnerOf().run(['cat'], { input: 'ü'.repeat(100_000) })).stdout).toHaveLength(100_000)
  })

  test('ends a command that takes too long, with what it started', async () => {
    const path = join(folder, 'late')
    const began = Date.now()
    const running = runnerOf().run(['sh', '-c', `(sleep 2; touch "${path}") & wait`], {
      timeoutMilliseconds: 300,
    })
    const outcome = await running.catch((error: Error) => error)
    // Over SSH, the time limit is enforced on the remote side, in whole seconds, and shows as the exit code of
    // `timeout`.
    expect(outcome instanceof Error ? outcome.message : outcome.exitCode).toSatisfy(
      (said: string | number) => said === 124 || /took longer/.test(String(said)),
    )
    expect(Date.now() - began).toBeLessThan(2_000)
    await new Promise((resolve) => setTimeout(resolve, 2_200 - (Date.now() - began)))
    await expect(stat(path)).rejects.toThrow()
  })

  test('gives up when aborted', async () => {
    const stop = new AbortController()
    const running = runnerOf().run(['sleep', '3'], { signal: stop.signal })
    stop.abort(new Error('called off'))
    await expect(running).rejects.toThrow('called off')
  })

  test('refuses endless output', async () => {
    await expect(runnerOf().run(['yes'], { outputLimitBytes: 10_000 })).rejects.toThrow('more than the limit')
  })

  test('writes files whole with their mode, reads them, lists and removes', async () => {
    const runner = runnerOf()
    const path = join(folder, 'deep', 'er', 'file')
    const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 256))
    expect(await runner.readFile(path)).toBeNull()
    await runner.writeFile(path, bytes, 0o640)
    await runner.writeFile(path, bytes, 0o600)
    expect(await runner.readFile(path)).toEqual(bytes)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await runner.list(join(folder, 'deep', 'er'))).toEqual(['file'])
    await runner.remove(join(folder, 'deep'))
    await runner.remove(join(folder, 'deep'))
    expect(await runner.list(join(folder, 'deep', 'er'))).toEqual([])
  })
})

describe.each(runners)('large files %s', (_, runnerOf) => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_ignored, index) => (index * 7) % 256))

  test('are written and read in parts', async () => {
    const runner = runnerOf()
    const path = join(folder, 'large')
    await runner.writePart(path, 0, bytes.subarray(0, 100_000))
    await runner.writePart(path, 100_000, bytes.subarray(100_000))
    await runner.writePart(path, 5, bytes.subarray(5, 10))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await runner.readPart(path, 0, 400_000)).toEqual(bytes)
    expect(await runner.readPart(path, 1_001, 1_000)).toEqual(bytes.subarray(1_001, 2_001))
    expect(await runner.readPart(path, 300_000, 10)).toEqual(Buffer.alloc(0))
    await expect(runner.readPart(join(folder, 'no-such-file'), 0, 1)).rejects.toThrow()
    await runner.remove(path)
  })

  test('are sent into a socket, to a receiver that takes all and to one that leaves', async () => {
    const runner = runnerOf()
    const path = join(folder, 'poured')
    const socketPath = join(folder, 'receiver')
    await runner.writePart(path, 0, Buffer.concat(Array.from({ length: 20 }, () => bytes)))
    const parts: Buffer[] = []
    let leaves = false
    const receiver = createServer({ allowHalfOpen: false }, (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (part: Buffer) => {
        if (leaves) socket.destroy()
        else parts.push(part)
      })
    })
    await new Promise<void>((resolve) => receiver.listen(socketPath, () => resolve()))
    await runner.pour(path, 300_001, socketPath, 30_000)
    expect(Buffer.concat(parts).length).toBe(19 * bytes.length - 1)
    expect(Buffer.concat(parts).subarray(0, 1_000)).toEqual(bytes.subarray(1, 1_001))
    leaves = true
    await runner.pour(path, 0, socketPath, 30_000)
    await new Promise((resolve) => receiver.close(resolve))
    await expect(runner.pour(path, 0, socketPath, 30_000)).rejects.toThrow()
    await runner.remove(path)
  })
})

test('another host key than the pinned one ends the connection', async () => {
  const pinned = generateSecureShellKeyPair('another').publicKey
  const options = { host: '127.0.0.1', port, user: 'root', privateKey: userKey.privateKey, hostKey: pinned }
  await expect(new SecureShellCommandRunner(options).run(['true'])).rejects.toThrow('another host key')
})

test('a lost connection is an error of the command, and the next command connects again', async () => {
  const begun = join(folder, 'begun')
  const running = remote.run(['sh', '-c', `touch "${begun}"; sleep 5`])
  await expect.poll(() => existsSync(begun), { timeout: 10_000 }).toBe(true)
  for (const client of clients) client.end()
  await expect(running).rejects.toThrow(/over|closed|exit code|reset/i)
  expect((await remote.run(['echo', 'again'])).stdout).toBe('again\n')
})

test('a port without an SSH server is an error within the time limit', async () => {
  const silent: Server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const options = {
    host: '127.0.0.1',
    user: 'root',
    privateKey: userKey.privateKey,
    hostKey: hostKey.publicKey,
  }
  const runner = new SecureShellCommandRunner({
    ...options,
    port: (silent.address() as { port: number }).port,
    readyTimeoutMilliseconds: 300,
  })
  await expect(runner.run(['true'])).rejects.toThrow(/handshake|timed out/i)
  silent.close()
})

test('a missing program is named as missing', async () => {
  await expect(new LocalCommandRunner().run(['no-such-program'])).rejects.toThrow(
    'no-such-program: this program is not there',
  )
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
