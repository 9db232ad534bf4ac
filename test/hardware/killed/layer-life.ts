import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment, Snapshot, SnapshotHolder } from '@hearth/contract'
import { expect } from 'vitest'
import { until } from '../../system/following.ts'
import { run } from '../command.ts'
import { domainsOf } from '../domains.ts'
import { guestNetwork } from '../guest-network.ts'
import type { HardwareHost } from '../host.ts'
import { processesWith } from '../processes.ts'
import { type KeyPair, secureShell } from '../secure-shell.ts'
import { untilDeleted, untilEnvironment } from '../waiting.ts'
import type { KillableAgent } from './killable-agent.ts'

/** Time limit for a snapshot, next to others on a busy host. */
const snapshotMilliseconds = 300_000
/** Writes over the file, so that nobody finds it empty. */
const counter = `setsid bash -c 'while :; do echo $((++n)) 1<>/run/counter; sleep 0.1; done' </dev/null >/dev/null 2>&1 &`

export interface LayerGround {
  host: HardwareHost
  keys: KeyPair
  north: KillableAgent
  south: KillableAgent
  projectId: string
  environmentClassId: string
}

/** Guests on the first of two runners, their snapshots, and copies of those on the second. */
export class LayerLife {
  private readonly environmentIds: string[] = []

  constructor(private readonly ground: LayerGround) {}

  async make(source?: { snapshotId: string; memory: boolean }): Promise<Environment> {
    const { host, projectId, environmentClassId } = this.ground
    const spec = { projectId, environmentClassId, ...(source === undefined ? {} : { source }) }
    const made = await host.client.environments.create({ spec })
    this.environmentIds.push(made.metadata.id)
    return made
  }

  running({ metadata }: Environment): Promise<Environment> {
    return untilEnvironment(this.ground.host.client, metadata.id, ({ status }) => {
      expect(status.phase, JSON.stringify(status.failure)).not.toBe('failed')
      return status.phase === 'running'
    })
  }

  freeze({ metadata }: Environment, memory: boolean): Promise<Snapshot> {
    const spec = { environment: metadata.id, memory }
    return this.ground.host.client.snapshots.create({ spec })
  }

  ready(snapshot: Snapshot): Promise<Snapshot> {
    return this.untilSnapshot(snapshot, ({ status }) => {
      expect(status.phase, JSON.stringify(status.failure)).not.toBe('failed')
      return status.phase === 'ready'
    })
  }

  flattened(snapshot: Snapshot): Promise<Snapshot> {
    return this.untilSnapshot(snapshot, ({ status }) => status.parentId === null)
  }

  async copied(snapshot: Snapshot): Promise<Snapshot> {
    return this.untilSnapshot(snapshot, ({ status }) => {
      const holder = status.holders.find((one: SnapshotHolder) => one.runnerId === this.ground.south.runnerId)
      expect(holder?.phase, JSON.stringify(holder?.failure)).not.toBe('failed')
      return holder?.phase === 'present'
    })
  }

  startCounter(environment: Environment): Promise<string> {
    return this.inGuest(environment, counter)
  }

  /** Which boot of the guest it is, after its counter was seen to go on. */
  async bootOf(environment: Environment): Promise<string> {
    const said = await this.inGuest(
      environment,
      'cat /run/counter; sleep 1; cat /run/counter /proc/sys/kernel/random/boot_id',
    )
    const [before, after, boot = ''] = said.split('\n')
    expect(Number(after)).toBeGreaterThan(Number(before))
    return boot
  }

  /** Removes a machine and the snapshot that was made of it, if any. */
  async remove(environment: Environment, snapshot: Snapshot | null): Promise<void> {
    const { client } = this.ground.host
    await client.environments.delete(environment.metadata.id)
    await this.removed(environment)
    if (snapshot === null) return
    await client.snapshots.delete(snapshot.metadata.id, { force: true })
    await this.untilSnapshot(snapshot, ({ status }) => status.phase === 'deleted')
  }

  removed({ metadata }: Environment): Promise<Environment> {
    return untilDeleted(this.ground.host.client, metadata.id)
  }

  /**
   * Everything of it that stands on the host: files, domains, processes and what connects guests. The draft of a small file
   * (`.new`) is left out: the next one takes its place, and it goes with its folder.
   */
  async seen(): Promise<string[]> {
    const { north, south } = this.ground
    const folders = [north, south].flatMap((agent) => [agent.folder('environments'), agent.folder('layers')])
    const files = folders
      .filter((folder) => existsSync(folder))
      .map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name)))
    const isOurs = (name: string) => this.environmentIds.some((id) => name.startsWith(id))
    const sockets = (await readdir(guestNetwork.socketsFolder)).filter(isOurs)
    const processes = this.environmentIds.flatMap(processesWith).map((id) => `process ${id}`)
    const domains = await domainsOf([north.runnerId, south.runnerId])
    const lasting = (await Promise.all(files)).flat().filter((path) => !path.endsWith('.new'))
    return [...lasting, ...sockets, ...new Set(processes), ...domains].sort()
  }

  /** The same once nothing comes and goes: a command of an agent that names a machine is there for a moment. */
  async settled(): Promise<string[]> {
    for (let last = await this.seen(); ; ) {
      const next = await this.seen()
      if (next.join() === last.join()) return next
      last = next
    }
  }

  /** Both disks read the same, although they stand on files of their own. */
  async expectSameDisks({ metadata }: Snapshot): Promise<void> {
    const [one, other] = [this.ground.north, this.ground.south].map((agent) =>
      join(agent.folder('layers'), metadata.id, 'disk.qcow2'),
    )
    await run(['qemu-img', 'compare', '-U', one ?? '', other ?? ''])
  }

  private untilSnapshot({ metadata }: Snapshot, wanted: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    const { client } = this.ground.host
    const read = () => client.snapshots.get(metadata.id)
    return until(client, `snapshot ${metadata.name}`, read, wanted, snapshotMilliseconds)
  }

  private async inGuest({ metadata }: Environment, command: string): Promise<string> {
    const { host, keys } = this.ground
    const { address, certificate } = await host.client.environments.certificate(metadata.id, keys.publicKey)
    const login = { keyPath: keys.path, certificate }
    const { exitCode, stdout, stderr } = await secureShell(address, login, command)
    expect(exitCode, stderr).toBe(0)
    return stdout
  }
}
