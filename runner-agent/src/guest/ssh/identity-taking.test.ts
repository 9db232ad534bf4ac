import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { eventually } from '@hearth/testing'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { generateSecureShellKeyPair, publicKeyBytes } from '../../secure-shell/host-key.ts'
import type { IdentityTaking } from '../guest.ts'
import { buildIdentityTaking, clockRequest, identityExitCodes } from './identity-taking.ts'
import { staleExitCode } from './step-script.ts'

const own = { machineId: '11'.repeat(16), hostname: "it's-shop", randomSeedDigest: '' }
const formerKey = generateSecureShellKeyPair('former')
const ownKey = generateSecureShellKeyPair('own')
const machine = {
  identity: own,
  address: { host: '127.0.0.1', port: 22, user: 'root', hostKey: ownKey.publicKey },
}
const files = [
  { path: '/etc/machine-id', mode: 0o444, content: `${own.machineId}\n` },
  { path: '/etc/hostname', mode: 0o644, content: `${own.hostname}\n` },
  { path: '/etc/ssh/ssh_host_ed25519_key', mode: 0o600, content: ownKey.privateKey },
  { path: '/etc/ssh/hearth/principals/root', mode: 0o644, content: 'environment:own\n' },
]
const resumed: IdentityTaking = { files, formerHostKey: formerKey.publicKey, resumed: true }
const booted: IdentityTaking = { ...resumed, resumed: false }
const origin = (epoch: number, generation: number) => ({ runnerId: 'runner-1', epoch, generation })

let root: string
/** What each of the programs was called with, that would change this machine. */
let calls: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "hearth guest's root "))
  calls = join(root, 'calls')
  const put = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  await put('/etc/machine-id', `${'22'.repeat(16)}\n`)
  await put('/etc/ssh/ssh_host_ed25519_key', formerKey.privateKey)
  await chmod(join(root, '/etc/ssh/ssh_host_ed25519_key'), 0o600)
  await put('/etc/ssh/hearth/principals/root', 'environment:former\n')
  await put('/home/.env', "KEPT='yes'\n")
  await put('/dev/urandom', '')
  await put('/proc/sys/kernel/hostname', 'former\n')
  await put('/var/lib/hearth/fence', '9 9\n')
  await put('/var/lib/hearth/steps/project_setup-1/outcome', 'exit 0\n')
  await put('/run/hearth/steps/fence', '9 9\n')
  for (const program of ['date', 'ss', 'perl', 'systemctl']) {
    await put(`/bin/${program}`, `#!/bin/sh\necho ${program} "$@" >>'${calls.replaceAll("'", "'\\''")}'\n`)
    await chmod(join(root, 'bin', program), 0o755)
  }
})
// What the program left to the background may still write there.
afterEach(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))

const read = (path: string) => readFile(join(root, path), 'utf8')

/** Runs the program as the SSH server of a guest would, and answers it with the time. */
async function take(taking: IdentityTaking, from = origin(1, 1)) {
  const program = buildIdentityTaking(taking, machine, from, root)
  const environment = { ...process.env, PATH: `${root}/bin:${process.env.PATH}`, SSH_CONNECTION: connection }
  const child = spawn('bash', ['--noprofile', '--norc', '-p', '-c', program], { env: environment })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (said === `${clockRequest}\n`) child.stdin.write('1234567890.250\n')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [exitCode] = (await once(child, 'close')) as [number]
  return { exitCode, said, calls: existsSync(calls) ? await readFile(calls, 'utf8') : '' }
}
const connection = '10.0.2.2 40000 10.0.2.15 22'

test('a resumed guest takes files, name, time and random numbers of its machine, and keeps the rest', async () => {
  const { exitCode, calls: called } = await take(resumed)
  expect(exitCode).toBe(0)
  for (const { path, mode, content } of files) {
    expect(await read(path)).toBe(content)
    expect((await stat(join(root, path))).mode & 0o777 & ~0o222).toBe(mode & ~0o222)
  }
  expect((await stat(join(root, '/etc/ssh/ssh_host_ed25519_key'))).mode & 0o077).toBe(0)
  expect(await read('/proc/sys/kernel/hostname')).toBe(`${own.hostname}\n`)
  expect(await read('/dev/urandom')).toMatch(/^[0-9a-f]{128}$/)
  expect(await read('/home/.env')).toBe("KEPT='yes'\n")
  // The clock here is of today: it is set back by what it is ahead.
  const [, shift] = /^date -u -s (-\d+\.\d{3}) seconds$/m.exec(called) ?? []
  expect(Math.abs(1_234_567_890.25 - (Date.now() / 1000 + Number(shift)))).toBeLessThan(60)
  expect(called).toContain('perl -e')
  expect(called).toContain(
    'ss -H -K -t src 10.0.2.15 and not dst 10.0.2.15 and not ( sport = :22 and dport = :40000 )\n',
  )
})

test('steps and numbers of another machine are forgotten, those of this one count', async () => {
  expect((await take(resumed)).exitCode).toBe(0)
  expect(existsSync(join(root, '/var/lib/hearth/steps'))).toBe(false)
  expect(await read('/var/lib/hearth/fence')).toBe('1 1\n')
  expect(await read('/run/hearth/steps/fence')).toBe('1 1\n')
  await mkdir(join(root, '/var/lib/hearth/steps/project_setup-1'), { recursive: true })
  expect((await take(resumed, origin(2, 3))).exitCode).toBe(0)
  expect(existsSync(join(root, '/var/lib/hearth/steps/project_setup-1'))).toBe(true)
  const older = await take(resumed, origin(2, 2))
  expect([older.exitCode, older.said]).toEqual([staleExitCode, `${clockRequest}\nstale 2 3\n`])
})

test('a booted guest only forgets what was another machine’s: its seed disk gave it the rest', async () => {
  const { exitCode, said, calls: called } = await take(booted)
  expect([exitCode, said, called]).toEqual([0, '', ''])
  expect(existsSync(join(root, '/var/lib/hearth/steps'))).toBe(false)
  expect(await read('/etc/ssh/hearth/principals/root')).toBe('environment:former\n')
})

test('each taking mixes other random bytes in, also for the same machine again', async () => {
  await take(resumed)
  const first = await read('/dev/urandom')
  await take(resumed)
  expect(await read('/dev/urandom')).not.toBe(first)
})

test.runIf(process.getuid?.() === 0).each([['perl'], ['python3']])(
  'the kernel is reseeded by %s',
  async (program) => {
    await rm(join(root, '/dev/urandom'))
    await symlink('/dev/urandom', join(root, '/dev/urandom'))
    for (const other of ['perl', 'python3']) {
      await rm(join(root, 'bin', other), { force: true })
      if (other !== program) await writeFile(join(root, 'bin', other), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    }
    expect((await take(resumed)).exitCode).toBe(0)
  },
)

test('a guest whose kernel cannot be reseeded does not pass', async () => {
  for (const program of ['perl', 'python3']) {
    await writeFile(join(root, 'bin', program), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  }
  expect((await take(resumed)).exitCode).toBe(identityExitCodes.notReseeded)
})

test('a guest whose disk refuses a file does not pass', async () => {
  await rm(join(root, '/etc/hostname'), { force: true })
  await symlink('/nonexistent/file', join(root, '/etc/hostname'))
  expect((await take(resumed)).exitCode).toBe(identityExitCodes.unwritable)
})

test('new connections to the SSH server see the machine’s own host key', async () => {
  const port = await freePort()
  const configuration = join(root, 'sshd_config')
  // Without quotes sshd would split paths at blanks.
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey "${root}/etc/ssh/ssh_host_ed25519_key"`,
    `PidFile "${root}/run/sshd.pid"`,
    'StrictModes no',
    'UsePAM no',
  ]
  await writeFile(configuration, `${settings.join('\n')}\n`)
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const server = spawn('/usr/sbin/sshd', ['-D', '-r', '-f', configuration], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  onTestFinished(async () => {
    server.kill()
    await ended
  })
  const shown = () => {
    const { stdout } = spawnSync('ssh-keyscan', ['-t', 'ed25519', '-p', String(port), '127.0.0.1'])
    return publicKeyBytes(stdout.toString().split(' ').slice(1).join(' '))
  }
  const patience = { timeoutMilliseconds: 10_000 }
  await eventually(() => shown().equals(publicKeyBytes(formerKey.publicKey)), patience)
  expect((await take(resumed)).exitCode).toBe(0)
  await eventually(() => shown().equals(publicKeyBytes(ownKey.publicKey)), patience)
  expect(server.exitCode).toBeNull()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
