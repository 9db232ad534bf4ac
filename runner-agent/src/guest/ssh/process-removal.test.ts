import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { eventually } from '@hearth/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { generateSecureShellKeyPair } from '../../secure-shell/host-key.ts'
import { buildIdentityTaking } from './identity-taking.ts'
import { LocalGuest, origin, processId } from './process.fixture.ts'
import { processPathsAt } from './process-removal.ts'
import { scrubScript } from './scrub-script.ts'

/** Runs that live on in a machine that is to be another one, or was put back to what it was. */
let root: string
let guest: LocalGuest
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "hearth guest's root "))
  guest = await LocalGuest.make(processPathsAt(root))
  for (const [path, text] of [
    ['dev/urandom', ''],
    ['proc/sys/kernel/hostname', 'former\n'],
    ...['date', 'ss', 'perl', 'systemctl'].map((name) => [`bin/${name}`, '#!/bin/sh\n'] as const),
  ] as const) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { mode: 0o755 })
  }
  guest.environment.PATH = `${root}/bin:${guest.environment.PATH}`
})
afterEach(async () => {
  await guest.remove()
  await rm(root, { recursive: true, force: true, maxRetries: 5 })
})

const own = { machineId: '11'.repeat(16), hostname: 'shop', randomSeedDigest: '' }
const { publicKey: hostKey } = generateSecureShellKeyPair('own')
const machine = { identity: own, address: { host: '127.0.0.1', port: 22, user: 'root', hostKey } }
const takeIdentity = (resumed = true) =>
  guest.bash(
    buildIdentityTaking({ files: [], formerHostKey: hostKey, resumed }, machine, origin(), root),
    '1.000\n',
  )

const patience = { timeoutMilliseconds: 10_000 }

/** A service with a child in the background, and a task, of which each notes that it goes on. */
async function begin(): Promise<() => Promise<string>> {
  const beat = (name: string) =>
    `exec {idle}<> <(:); while :; do echo ${name} >>beats; read -t 0.02 -u $idle; done`
  const service = guest.runOf(`(${beat('child')}) & ${beat('main')}`)
  const task = guest.runOf(beat('task'), { processId: 'task' })
  const begun = [service, task].map((run) => guest.follow(run))
  const beats = join(guest.folder, 'beats')
  await eventually(async () => {
    const text = existsSync(beats) ? await readFile(beats, 'utf8') : ''
    return ['main', 'child', 'task'].every((name) => text.includes(name))
  }, patience)
  // Their origin's agent is not connected any more.
  for (const { child } of begun) child.stdin.end()
  await Promise.all(begun.map(({ ended }) => ended))
  return () => readFile(beats, 'utf8')
}

async function expectNothingRuns(beats: () => Promise<string>): Promise<void> {
  await eventually(async () => (await guest.processes()).length === 0, patience)
  const before = await beats()
  await guest.bash('read -t 0.2 <> <(:)')
  expect(await beats()).toBe(before)
}

test('a machine that goes on from another one’s memory runs nothing of it, and begins its own', async () => {
  const beats = await begin()
  expect(await takeIdentity()).toMatchObject({ exitCode: 0 })
  await expectNothingRuns(beats)
  expect([existsSync(guest.paths.ledger), existsSync(guest.paths.state)]).toEqual([false, false])
  expect(await guest.newest()).toBeNull()
  const { ended } = await guest.follow(guest.runOf('exit 3')).ended
  expect(ended?.run).toMatchObject({ number: 1, ending: { cause: 'exit', exitCode: 3 } })
})

test('a machine that was put back to its own memory has lost what ran then, and knows its runs', async () => {
  await takeIdentity()
  const beats = await begin()
  expect(await takeIdentity()).toMatchObject({ exitCode: 0 })
  await expectNothingRuns(beats)
  for (const id of [processId, 'task']) {
    expect(await guest.newest(id)).toMatchObject({ number: 1, request: 1, ending: { cause: 'lost' } })
  }
  expect((await guest.follow(guest.runOf('exit 3', { number: 2 })).ended).ended?.run.ending?.exitCode).toBe(3)
})

test('a machine on another one’s disk knows none of its runs', async () => {
  await guest.follow(guest.runOf('echo said')).ended
  await rm(guest.paths.state, { recursive: true })
  expect(await takeIdentity(false)).toMatchObject({ exitCode: 0 })
  expect(existsSync(guest.paths.ledger)).toBe(false)
  expect(await guest.newest()).toBeNull()
})

test('a scrubbed machine runs nothing and keeps nothing of what ran', async () => {
  const beats = await begin()
  await guest.bash(scrubScript(root))
  await expectNothingRuns(beats)
  expect(await readdir(guest.paths.ledger)).toEqual([])
  expect(await readdir(guest.paths.state)).toEqual([])
})
