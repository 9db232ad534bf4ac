import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { LibvirtHost } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, type CommandResult } from './command.ts'
import { virshUri } from './domains.ts'
import { gitEnvironment, makeRepository } from './git-server.ts'
import { guestNetwork } from './guest-network.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { greeting, NetworkNamespace } from './network-namespace.ts'
import { type PreparedGuest, preparedGuest } from './prepared/prepared-guest.ts'
import { processesWith } from './processes.ts'

const bootMilliseconds = 300_000
const owner = newId()
const authority = { epoch: 1, generation: 1, assertHeld: () => Promise.resolve() }

const hostAddress = '203.0.113.10'
const router = '203.0.113.1'
const elsewhere = '198.51.100.7'
const closed = '198.51.100.200'
const metadata = '169.254.169.254'
const ports = { loopback: 8_001, everywhere: 8_002, opened: 8_003, elsewhere: 8_004 }

let folder: string
let host: LibvirtHost
let here: NetworkNamespace
let lan: NetworkNamespace
let prepared: PreparedGuest
/** Environment ids of two guests that run in parallel. */
let guest: string
let neighbour: string

beforeAll(async () => {
  folder = await newRunFolder()
  prepared = await preparedGuest()
  await offerImage(join(folder, 'images'), 'debian-12')
  // The guests' host and the network around it are two namespaces: no packet leaves this machine.
  here = await NetworkNamespace.make(`hearth-host-${process.pid}`)
  lan = await NetworkNamespace.make(`hearth-lan-${process.pid}`)
  await NetworkNamespace.connect([
    { namespace: here, addresses: [`${hostAddress}/24`] },
    { namespace: lan, addresses: [`${router}/24`, elsewhere, closed, metadata].map(withLength) },
  ])
  await here.run('ip', 'route', 'add', 'default', 'via', router)
  await here.listen('127.0.0.1', ports.loopback)
  await here.listen('0.0.0.0', ports.everywhere)
  await here.listen('127.0.0.1', ports.opened)
  await lan.listen('0.0.0.0', ports.elsewhere)
  await serveRepositoryElsewhere()
  host = new LibvirtHost({
    ...guestNetwork,
    network: {
      ...guestNetwork.network,
      allow: [{ name: 'opened', host: '127.0.0.1', port: ports.opened }],
      deny: ['198.51.100.128/25'],
    },
    runner: here.runner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, 'machines'),
    ...layersAt(join(folder, 'layers')),
    owner,
    agentKey: prepared.keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
  await prepared.copyTo(host)
  guest = await resumeGuest()
  neighbour = await resumeGuest()
})

afterAll(async () => {
  for (const id of [guest, neighbour]) if (id !== undefined) await host.machines.remove(id, authority)
  if (folder !== undefined) await removeRun(folder, [owner])
  await here?.[Symbol.asyncDispose]()
  await lan?.[Symbol.asyncDispose]()
})

describe('by default a guest', () => {
  const closedToGuests: [what: string, address: string, port: number][] = [
    ['a port of the host’s loopback by the gateway’s address', '10.0.2.2', ports.loopback],
    ['a port of all addresses by the host’s own', hostAddress, ports.everywhere],
    ['a port of all addresses by the gateway’s address', '10.0.2.2', ports.everywhere],
    ['the address of cloud metadata', metadata, ports.elsewhere],
    ['a closed network', closed, ports.elsewhere],
  ]
  const answers = new Map<string, Promise<string>>()
  let ofNeighbour: Promise<string[]>
  // In parallel: every dropped connection takes its whole time limit.
  beforeAll(async () => {
    for (const [what, address, port] of closedToGuests) answers.set(what, reach(guest, address, port))
    const port = (await host.machines.look(neighbour)).address?.port ?? 0
    ofNeighbour = Promise.all(['10.0.2.2', hostAddress].map((at) => reach(guest, at, port)))
  })

  it.each(closedToGuests)('does not reach %s', async (what) => {
    expect(await answers.get(what)).not.toContain(greeting)
  })

  it('does not reach another guest, neither over the gateway nor over the host’s address', async () => {
    expect((await ofNeighbour).join('')).not.toContain('SSH')
  })

  it('reaches other networks, and the one port of the host that was opened', async () => {
    expect(await reach(guest, elsewhere, ports.elsewhere)).toContain(greeting)
    expect(await reach(guest, '10.0.2.2', ports.opened)).toContain(greeting)
  })

  it('clones a repository from another network', async () => {
    const { stdout, stderr } = await shell(
      guest,
      `git clone --quiet git://${elsewhere}/shop.git /tmp/shop && cat /tmp/shop/README.md`,
    )
    expect(stdout + stderr).toBe('# Shop\n')
  })

  it('does not reach the host when its root changes its routes', async () => {
    // The guest's kernel then sends packets for the loopback and for itself to the host.
    const { stderr, exitCode } = await shell(
      guest,
      'sysctl -q -w net.ipv4.conf.all.route_localnet=1 && ip route del local 127.0.0.0/8 dev lo table local && ' +
        'ip route del local 127.0.0.1 dev lo table local && ip route add 127.0.0.0/8 via 10.0.2.2 src 10.0.2.15',
    )
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    const { address } = await host.machines.look(neighbour)
    const loopback = [ports.loopback, address?.port ?? 0]
    const said = (await Promise.all(loopback.map((port) => reach(guest, '127.0.0.1', port)))).join('')
    expect(said).not.toContain(greeting)
    expect(said).not.toContain('SSH')
  })

  it('is filtered again after somebody cleared the host’s rules', async () => {
    await here.run('nft', 'flush', 'ruleset')
    expect(await reach(guest, metadata, ports.elsewhere)).toContain(greeting)
    expect((await host.facts()).warnings).toEqual([])
    expect(await reach(guest, metadata, ports.elsewhere)).not.toContain(greeting)
  })
})

describe('the process that carries a guest’s network', () => {
  it('runs under its own user, which no other guest has', async () => {
    const users = await Promise.all([guest, neighbour].map(async (id) => userOf(passtOf(id)[0] ?? 0)))
    expect(new Set(users).size).toBe(2)
    expect(users.every((user) => user > 1_000_000_000)).toBe(true)
  })

  it('is reported when it has ended, and runs again after the next start', async () => {
    for (const pid of passtOf(neighbour)) process.kill(pid, 'SIGKILL')
    await eventually(async () => (await host.machines.look(neighbour)).fault !== null, {
      timeoutMilliseconds: 20_000,
    })
    expect((await host.machines.look(neighbour)).fault).toContain('passt')
    await host.machines.start(neighbour, authority)
    expect((await host.machines.look(neighbour)).fault).toBeNull()
    await untilAnswering(neighbour)
  })

  it('ends with its guest, and the rules with the last guest', async () => {
    await host.machines.powerOff(neighbour, authority)
    expect(passtOf(neighbour)).toEqual([])
    await host.machines.inventory()
    await host.machines.remove(neighbour, authority)
    expect(await here.run('nft', 'list', 'tables')).toContain(owner)
    await host.machines.remove(guest, authority)
    expect(await here.run('nft', 'list', 'tables')).not.toContain(owner)
    expect(passtOf(guest)).toEqual([])
  })
})

async function resumeGuest(): Promise<string> {
  const given = { ...guestSpecification(prepared.keys.publicKey), source: { layerId: prepared.layerId } }
  await host.machines.create(given, authority)
  await host.machines.startFromMemory(given.environmentId, prepared.layerId, authority)
  await untilAnswering(given.environmentId)
  return given.environmentId
}

async function untilAnswering(environmentId: string): Promise<void> {
  await eventually(async () => (await shell(environmentId, 'true')).exitCode === 0, {
    timeoutMilliseconds: bootMilliseconds,
    intervalMilliseconds: 500,
  })
}

/** What a program in the guest reads first from an address and port. */
async function reach(environmentId: string, address: string, port: number): Promise<string> {
  const command = `timeout 10 bash -c 'exec 3<>/dev/tcp/${address}/${port} && head -n 1 <&3'`
  const { stdout } = await shell(environmentId, command)
  return stdout
}

async function shell(environmentId: string, command: string): Promise<CommandResult> {
  const { address } = await host.machines.look(environmentId)
  if (address === null) throw new Error('the guest has no address')
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'BatchMode=yes',
    'LogLevel=ERROR',
  ]
  const settings = options.flatMap((option) => ['-o', option])
  const target = ['-p', String(address.port), `${address.user}@${address.host}`]
  const client = [
    'ssh',
    '-F',
    'none',
    '-i',
    prepared.keys.path,
    '-o',
    'ConnectTimeout=20',
    ...settings,
    ...target,
    command,
  ]
  return attempt(['ip', 'netns', 'exec', here.name, ...client])
}

async function serveRepositoryElsewhere(): Promise<void> {
  const served = join(folder, 'git', 'served')
  await mkdir(join(folder, 'git'))
  await makeRepository(join(folder, 'git'), 'shop', { 'README.md': '# Shop\n' })
  const daemon = [
    'daemon',
    `--listen=${elsewhere}`,
    '--export-all',
    '--verbose',
    `--base-path=${served}`,
    served,
  ]
  await lan.serve('git', daemon, elsewhere, 9_418, gitEnvironment)
}

const passtOf = (environmentId: string) => processesWith(`guests/${environmentId}/passt.sock --one-off`)

async function userOf(pid: number): Promise<number> {
  return Number((await attempt(['stat', '-c', '%u', `/proc/${pid}`])).stdout)
}

function withLength(address: string): string {
  return address.includes('/') ? address : `${address}/32`
}
