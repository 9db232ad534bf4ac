import { setTimeout as delay } from 'node:timers/promises'
import type { SeededRandom } from '@hearth/testing'
import { Client } from 'pg'
import { readMachines } from '../eyes/hosts.ts'
import type { Fault } from '../plan/faults.ts'
import { repeatMessages } from './repeater.ts'
import type { Host, World } from './world.ts'

/** Inflicts a fault on the world at its time, and undoes what would last; resolves when it is over. */
export async function inflict(
  world: World,
  fault: Fault,
  random: SeededRandom,
  signal: AbortSignal,
): Promise<void> {
  if ('at' in fault) await delay(fault.at)
  const begin = async (undo: () => unknown) => {
    await delay('lasts' in fault ? fault.lasts : 0)
    await undo()
  }
  const [controlPlane] = world.controlPlanes
  switch (fault.kind) {
    case 'control plane killed at a write':
      return controlPlane?.killAt(fault.kills)
    case 'control plane killed':
      return controlPlane?.kill()
    case 'control plane paused':
      controlPlane?.pause()
      return begin(() => controlPlane?.resume())
    case 'control plane cut from NATS':
      world.natsLinks[0]?.hold()
      return begin(() => world.natsLinks[0]?.mend())
    case 'second control plane':
    case 'steps taken twice':
      // The world was started with this fault.
      return
    case 'agent killed at a step':
      return newestAgent(host(world, fault)).killAt(fault.kills)
    case 'agent killed':
      return newestAgent(host(world, fault)).kill()
    case 'agent paused': {
      const agent = newestAgent(host(world, fault))
      agent.pause()
      return begin(() => agent.resume())
    }
    case 'second agent of one identity':
      return world.addAgent(host(world, fault))
    case 'host partitioned': {
      const { http, nats } = host(world, fault)
      for (const link of [http, nats]) {
        if (fault.reset) link.cut()
        else link.hold()
      }
      return begin(() => {
        for (const link of [http, nats]) link.mend()
      })
    }
    case 'disk full': {
      const { agents, stateFolder } = host(world, fault)
      await untilOneRuns(stateFolder, signal)
      for (const agent of agents) agent.send({ type: 'disk', full: true })
      return begin(() => {
        for (const agent of agents) agent.send({ type: 'disk', full: false })
      })
    }
    case 'NATS killed':
    case 'NATS restarted empty':
      return world.oneAfterAnother(async () => {
        await world.slot.nats.crash()
        if (fault.kind === 'NATS restarted empty') await world.slot.nats.empty()
        return begin(() => world.slot.nats.start())
      })
    case 'NATS restarted older':
      return world.oneAfterAnother(async () => {
        const { nats } = world.slot
        await nats.crash()
        await nats.copyStore()
        await nats.start()
        await begin(() => nats.crash())
        await nats.restoreStore()
        await nats.start()
      })
    case 'messages repeated and reordered': {
      const nats = await world.connectNats()
      await repeatMessages(nats, { share: fault.share, random, signal }).finally(() => nats.close())
      return
    }
    case 'messages delayed': {
      const links = [...world.natsLinks, ...world.hosts.map(({ nats }) => nats)]
      for (const link of links) link.delay = fault.milliseconds
      return begin(() => {
        for (const link of links) link.delay = 0
      })
    }
    case 'PostgreSQL connections cut':
      return cutConnections(world, fault.times, random)
    case 'PostgreSQL restarted':
      return world.oneAfterAnother(() => world.slot.postgres.crashAndRestart())
    case 'clock of the control plane jumped':
      return jump([...world.controlPlanes], fault.milliseconds, begin)
    case 'clock of an agent jumped':
      return jump(host(world, fault).agents, fault.milliseconds, begin)
  }
}

function host(world: World, { runner }: { runner: number }): Host {
  const found = world.hosts[runner]
  if (found === undefined) throw new Error(`there is no host ${runner}`)
  return found
}

/** A full disk pauses running environments: resolves at the first pause, or when the users have finished. */
async function untilOneRuns(stateFolder: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const machines = await readMachines(stateFolder)
    if (machines.some(({ machine }) => machine?.power === 'running')) return
    await delay(100, undefined, { signal }).catch(() => undefined)
  }
}

function newestAgent({ agents }: Host) {
  const agent = agents.findLast(({ superseded }) => !superseded) ?? agents.at(-1)
  if (agent === undefined) throw new Error('a host has no agent')
  return agent
}

async function jump(
  programs: World['controlPlanes'],
  offsetMilliseconds: number,
  begin: (undo: () => unknown) => Promise<void>,
): Promise<void> {
  for (const program of programs) program.send({ type: 'clock', offsetMilliseconds })
  await begin(() => {
    for (const program of programs) program.send({ type: 'clock', offsetMilliseconds: 0 })
  })
}

/** Ends every database session of the control planes, even in the middle of a transaction. */
async function cutConnections(world: World, times: number, random: SeededRandom): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const client = new Client({ connectionString: world.installation.databaseUrl })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'hearth%'`)
    } catch {
      // PostgreSQL itself is down at this moment, so its sessions have ended anyway.
    } finally {
      await client.end().catch(() => undefined)
    }
    await delay(random.integer(20, 400))
  }
}
