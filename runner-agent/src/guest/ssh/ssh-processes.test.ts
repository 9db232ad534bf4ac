import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalServer } from '../../secure-shell/local-server.fixture.ts'
import { processContract } from '../process-contract.ts'
import { Links } from './links.ts'
import { LocalGuest, origin } from './process.fixture.ts'
import { SshProcesses } from './ssh-processes.ts'

let guest: LocalGuest
let server: LocalServer
let links: Links
let processes: SshProcesses
beforeEach(async () => {
  guest = await LocalGuest.make()
  server = await LocalServer.make()
  const { address, privateKey } = server
  const identity = { machineId: '', hostname: '', randomSeedDigest: '' }
  const connect = async () => server.connect()
  links = new Links({ environmentId: 'here', address, identity }, { privateKey, connect, clock: systemClock })
  processes = new SshProcesses(links, guest.paths)
})
afterEach(async () => {
  links.close()
  await server.remove()
  await guest.remove()
})

const signal = () => AbortSignal.timeout(60_000)

describe('tasks and services of a guest over SSH keep the contract:', () => {
  for (const [promise, holds] of processContract) {
    test(promise, () =>
      holds({
        processes,
        folder: guest.folder,
        restart: async () => {
          await guest.restart()
          server.cut()
        },
      }),
    )
  }
})

test('what a run left in the background is killed, and one that does not end by itself', async () => {
  const command = `trap '' TERM; (trap '' TERM; sleep 1000) & echo $! >child; echo here; while :; do sleep 0.1; done`
  const run = guest.runOf(command, { graceSeconds: 1 })
  const stopped: Promise<void>[] = []
  for await (const event of processes.follow(run, 0, origin(), signal())) {
    if (event.kind === 'output') stopped.push(processes.stop(run.processId, origin(), signal()))
    if (event.kind === 'ended')
      expect(event.run.ending).toMatchObject({ cause: 'stopped', signal: 'SIGKILL' })
  }
  await Promise.all(stopped)
  const child = readFileSync(join(guest.folder, 'child'), 'utf8').trim()
  await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false)
})

test('output goes on after every cut of the connection, without a byte twice or missing', async () => {
  const run = guest.runOf('for n in {1..40}; do seq 1 2000; sleep 0.02; done')
  let output = ''
  let cuts = 0
  for await (const event of processes.follow(run, 0, origin(), signal())) {
    if (event.kind !== 'output') continue
    output += event.chunk.toString()
    if (output.length > cuts * 80_000 && cuts < 4) {
      cuts += 1
      server.cut()
    }
  }
  const lines = Array.from({ length: 2_000 }, (_, index) => `${index + 1}\n`).join('')
  expect(output === lines.repeat(40)).toBe(true)
  expect(cuts).toBe(4)
})

test('the ends of many runs at once are told when they come, over as many connections as they need', async () => {
  const commands = [
    'for n in {1..20}; do echo $n; sleep 0.1; done',
    'seq 1 100000',
    'sleep 0.6; echo one; sleep 1; echo two',
    'head -c 12000000 /dev/zero | tr "\\0" x',
  ]
  let connections = 0
  const late = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const run = guest.runOf(commands[index % commands.length] ?? '', { processId: `many-${index}` })
      for await (const event of processes.follow(run, 0, origin(), signal())) {
        connections = Math.max(connections, links.count)
        if (event.kind === 'ended') return Date.now() - (event.run.ending?.finishedAt ?? 0)
      }
      return Number.POSITIVE_INFINITY
    }),
  )
  expect(connections).toBe(2)
  expect(Math.max(...late)).toBeLessThan(20_000)
})
