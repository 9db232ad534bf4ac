import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  type Guest,
  isolatedByDefault,
  LibvirtHost,
  LocalCommandRunner,
  type Machine,
  SshGuest,
} from '@hearth/runner-agent'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { guestSpecification } from './guest-specification.ts'
import { newRunFolder } from './host.ts'
import { type ImageName, offerImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { type PreparedGuest, preparedGuest } from './prepared/prepared-guest.ts'
import { startPrepared } from './prepared/start-prepared.ts'
import { type KeyPair, secureShell } from './secure-shell.ts'

const authority = { epoch: 3, generation: 7, assertHeld: () => Promise.resolve() }
/** A fork's orders begin anew: its numbers are lower than those that stand in the frozen guest. */
const forkAuthority = { ...authority, generation: 1 }
const owner = newId()
const runner = new LocalCommandRunner()
const patienceMilliseconds = 400_000

let folder: string
let keys: KeyPair
let prepared: PreparedGuest
let host: LibvirtHost
beforeAll(async () => {
  folder = await newRunFolder()
  prepared = await preparedGuest()
  keys = prepared.keys
})
afterAll(async () => {
  await host?.close()
  await removeRun(folder, [owner])
})

interface Running extends Machine {
  guest: Guest
  inside(command: string): Promise<string>
}

async function open(environmentId: string): Promise<Running> {
  const machine = await host.machines.look(environmentId)
  const { address, identity } = machine
  if (address === null || identity === null) throw new Error('the machine has no address')
  const options = {
    privateKey: await readFile(keys.path, 'utf8'),
    connect: (at: string, port: number) => runner.connect(at, port),
    clock: systemClock,
  }
  return {
    ...machine,
    guest: new SshGuest({ environmentId, address, identity }, options),
    async inside(command) {
      const { exitCode, stdout, stderr } = await secureShell(address, { keyPath: keys.path }, command)
      expect(exitCode, stderr).toBe(0)
      return stdout.trim()
    },
  }
}

const patience = () => AbortSignal.timeout(patienceMilliseconds)

/** A machine of the layer, behind the gate. */
async function fork(image: ImageName, layerId: string, name: string, resumed: boolean) {
  const specification = { ...guestSpecification(keys.publicKey), image, hostname: name, source: { layerId } }
  const { environmentId } = specification
  await host.machines.create({ ...specification, principal: `environment:${environmentId}` }, forkAuthority)
  if (resumed) await host.machines.startFromMemory(environmentId, layerId, forkAuthority)
  else await host.machines.start(environmentId, forkAuthority)
  const { origin } = await host.layers.look(layerId)
  if (origin === null) throw new Error('the layer does not say whose it is')
  const machine = await open(environmentId)
  const files = await host.machines.givenFiles(environmentId)
  const began = performance.now()
  const taking = { files, formerHostKey: origin.hostKey, resumed }
  await machine.guest.takeIdentity(taking, { runnerId: owner, epoch: 3, generation: 1 }, patience())
  const evidence = await machine.guest.identify(patience())
  console.log(
    `${image}, ${resumed ? 'memory' : 'disk'}: the gate took ${Math.round(performance.now() - began)} ms`,
  )
  return { ...machine, evidence }
}

const look = [
  'head -c 32 /dev/urandom | od -An -vtx1 | tr -d " \\n"; echo',
  'cat /etc/machine-id; uname -n; cat /etc/hostname',
  'cat /etc/ssh/hearth/principals/root; cat /home/.env; cat /home/work',
  'test -e /var/lib/hearth/steps && echo steps; cat /var/lib/hearth/fence',
].join('; ')
const counter =
  'exec {idle}<> <(:); for ((n = 0; ; n++)); do echo $n 1<>/run/counter; read -r -t 0.1 -u $idle; done'
const connections = 'ss -H -t -n state established | wc -l'

// Emulated, cloud-init alone takes minutes: the image that boots without it stands for both.
describe.each<[ImageName]>([['debian-12']])('machines forked of one of %s', (image) => {
  const layerId = newId()
  let origin: Running
  let forks: Awaited<ReturnType<typeof fork>>[]

  beforeAll(async () => {
    await offerImage(join(folder, 'images'), image)
    host ??= new LibvirtHost({
      runner,
      uri: virshUri,
      virtualization: 'qemu',
      imagesFolder: join(folder, 'images'),
      machinesFolder: join(folder, 'machines'),
      ...layersAt(join(folder, 'layers')),
      owner,
      ...guestNetwork,
      network: isolatedByDefault,
      agentKey: keys.publicKey,
      capacity: {},
      clock: systemClock,
    })
    const { environmentId } = guestSpecification(keys.publicKey)
    const specification = {
      ...guestSpecification(keys.publicKey, environmentId),
      image,
      hostname: 'origin',
    }
    await prepared.copyTo(host)
    await startPrepared(host, prepared, specification, authority)
    origin = await open(environmentId)
    await origin.guest.identify(patience())
    await origin.guest.awaitOwnSetUp(3, patience())
    const from = { runnerId: owner, epoch: 3, generation: 7 }
    await origin.guest.writePrivateFile('/home/.env', "KEPT='yes'\n", from, patience())
    await origin.inside(
      [
        'echo of the origin >/home/work; mkdir -p /var/lib/hearth/steps/project_setup-1',
        // Before the counter begins: bash would wait out the hour.
        'sync; date -u -s "-1 hour" >/dev/null',
        // Without a process for each round, which would take half of an emulated processor.
        `setsid -f bash -c '${counter}' </dev/null >/dev/null 2>&1`,
      ].join('; '),
    )
    await host.layers.freeze({ layerId, environmentId, memory: true }, authority)
    expect((await host.layers.look(layerId)).facts?.memoryFault).toBeNull()
    forks = await Promise.all([fork(image, layerId, 'left', true), fork(image, layerId, 'right', true)])
  })

  it('differ in machine id, host name, host key and random bytes, and have their own principal', async () => {
    const said = await Promise.all(forks.map(({ inside }) => inside(look)))
    const [left = [], right = []] = said.map((text) => text.split('\n'))
    expect(left[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(left[0]).not.toBe(right[0])
    for (const [index, lines] of [left, right].entries()) {
      const { environmentId, identity, evidence } = forks[index] ?? expect.unreachable()
      const name = ['left', 'right'][index]
      expect(lines.slice(1)).toEqual([
        ...[environmentId.replaceAll('-', ''), name, name, `environment:${environmentId}`],
        ...["KEPT='yes'", 'of the origin', '3 1'],
      ])
      expect(evidence).toMatchObject({
        machineId: identity?.machineId,
        hostname: name,
        randomSeedFresh: true,
      })
    }
    const hostKeys = [origin, ...forks].map(({ address }) => address?.hostKey)
    expect(new Set(hostKeys).size).toBe(3)
  })

  it('have the right time, although the clock of their origin was off', async () => {
    for (const { evidence } of forks) expect(Math.abs(evidence.clockOffsetMilliseconds)).toBeLessThan(500)
    for (const { inside } of forks) {
      const there = Number(await inside('date +%s'))
      expect(Math.abs(there - Date.now() / 1000)).toBeLessThan(5)
    }
  })

  it('go on with what ran in their origin, which runs on too', async () => {
    for (const { inside } of [origin, ...forks]) {
      const [before, after] = (await inside('cat /run/counter; sleep 1; cat /run/counter'))
        .split('\n')
        .map(Number)
      expect(after).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY)
    }
  })

  it('have no connection left that belongs to their origin', async () => {
    // Only the agent's and that of the command itself: the origin's agent had one when it was frozen.
    for (const { inside } of forks) expect(Number(await inside(connections))).toBeLessThanOrEqual(2)
  })

  it('see their own journal', async () => {
    for (const { inside, environmentId } of forks) {
      const id = environmentId.replaceAll('-', '')
      await inside(
        `for i in {1..50}; do logger -t gate hello; journalctl -q -t gate -o json -n 1 | grep -q ${id} && exit; sleep 0.2; done; exit 1`,
      )
    }
  })

  it('boot from the disk as themselves too, with the files', async () => {
    for (const { environmentId } of forks) await host.machines.powerOff(environmentId, forkAuthority)
    const booted = await fork(image, layerId, 'booted', false)
    const [, machineId, name, ...rest] = (await booted.inside(look)).split('\n')
    expect([machineId, name]).toEqual([booted.environmentId.replaceAll('-', ''), 'booted'])
    expect(rest).toEqual([
      ...['booted', `environment:${booted.environmentId}`, "KEPT='yes'", 'of the origin', '3 1'],
    ])
    expect(booted.evidence).toMatchObject({ machineId, randomSeedFresh: true })
    expect(Math.abs(booted.evidence.clockOffsetMilliseconds)).toBeLessThan(500)
  })
})
