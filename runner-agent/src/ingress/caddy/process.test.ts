import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adminSocket, type IngressSettings } from '../settings.ts'
import { askCaddy, NotThere } from './admin.ts'
import { CaddyProcess } from './process.ts'

let folder: string
let settings: IngressSettings

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-caddy-'))
  settings = {
    base: 'hearth.localhost',
    https: { host: '127.0.0.1', port: await freePort() },
    http: null,
    authority: { kind: 'internal' },
    resolver: null,
    askPort: null,
    folder,
    program: 'caddy',
    stopsWithAgent: false,
  }
})
afterEach(async () => {
  await new CaddyProcess(settings).end()
  rmSync(folder, { recursive: true, force: true })
})

const listening = async () =>
  JSON.parse(
    await askCaddy(adminSocket(settings), { method: 'GET', path: '/config/apps/http/servers/routes/listen' }),
  )

/** Null for a process that has ended meanwhile. */
function commandOf(pid: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return null
  }
}

/** The Caddy of this folder, by its command line. */
const caddyPid = async () => {
  const shell = spawn('sh', [
    '-c',
    `grep -lz -- "$1/caddy.json" /proc/[0-9]*/cmdline 2>/dev/null | grep -v "/$$/"`,
    'sh',
    folder,
  ])
  const chunks: Buffer[] = []
  shell.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(shell, 'close')
  const pids = Buffer.concat(chunks)
    .toString()
    .split('\n')
    .flatMap((line) => /\/proc\/(\d+)\//.exec(line)?.[1] ?? [])
  return pids.find((pid) => commandOf(pid) === 'caddy')
}

test('it is started, found again as it is, told of other settings, and ended', async () => {
  const first = new CaddyProcess(settings)
  await first.ensure()
  expect(await listening()).toEqual([`127.0.0.1:${settings.https.port}`])
  expect(statSync(adminSocket(settings)).mode & 0o077).toBe(0)
  const pid = await caddyPid()
  expect(pid).toBeDefined()
  // Another agent, with the same settings and then with others.
  await new CaddyProcess(settings).ensure()
  expect(await caddyPid()).toBe(pid)
  settings = { ...settings, https: { host: '127.0.0.1', port: await freePort() } }
  await new CaddyProcess(settings).ensure()
  expect(await caddyPid()).toBe(pid)
  expect(await listening()).toEqual([`127.0.0.1:${settings.https.port}`])
  await first.end()
  await expect(listening()).rejects.toThrow(NotThere)
})

test('under root it has no right of root’s but to listen on low ports', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip()
  await new CaddyProcess(settings).ensure()
  const status = readFileSync(`/proc/${await caddyPid()}/status`, 'utf8')
  expect(/^CapBnd:\s*(\w+)$/m.exec(status)?.[1]).toBe('0000000000000400')
  expect(/^NoNewPrivs:\s*(\d)$/m.exec(status)?.[1]).toBe('1')
})

test('one that was killed is started anew', async () => {
  const caddy = new CaddyProcess(settings)
  await caddy.ensure()
  const pid = Number(await caddyPid())
  process.kill(pid, 'SIGKILL')
  // The kernel closes its socket in a moment.
  await expect.poll(() => listening().catch((thrown) => thrown)).toBeInstanceOf(NotThere)
  await caddy.ensure()
  expect(await caddyPid()).not.toBe(String(pid))
})

test('why it cannot be had is said: not installed, or its port is another’s', async () => {
  await expect(new CaddyProcess({ ...settings, program: 'no-such-caddy' }).ensure()).rejects.toThrow(
    'no-such-caddy is not installed: apt-get install caddy',
  )
  const other = createServer().listen(settings.https.port, '127.0.0.1')
  await once(other, 'listening')
  await expect(new CaddyProcess(settings).ensure()).rejects.toThrow('address already in use')
  other.close()
})
