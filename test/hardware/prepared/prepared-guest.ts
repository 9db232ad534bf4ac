import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import { type Authority, LibvirtHost, LocalCommandRunner, SshGuest } from '@hearth/runner-agent'
import { eventually } from '@hearth/testing'
import { inject } from 'vitest'
import { removeDomainsOf, virshUri } from '../domains.ts'
import { guestNetwork } from '../guest-network.ts'
import { guestSpecification } from '../guest-specification.ts'
import { offerImage } from '../images.ts'
import { layersAt } from '../layers-at.ts'
import { type KeyPair, newKeyPair } from '../secure-shell.ts'

const patienceMilliseconds = 400_000
const pieceBytes = 16 * 1024 ** 2
const authority: Authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }

/** A guest that booted once for all files of a run and was frozen with its memory. */
export interface PreparedGuest {
  /** The agent's: the guest lets this key in. */
  keys: KeyPair
  layerId: string
  /** Copies its layer to another host, as agents do. */
  copyTo(host: LibvirtHost): Promise<void>
}

export async function preparedGuest(): Promise<PreparedGuest> {
  const folder = inject('preparedFolder')
  const file = join(folder, 'prepared.json')
  await preparedOnce(folder, file)
  const { layerId, owner, keys } = JSON.parse(await readFile(file, 'utf8')) as Prepared
  const { layers } = hostAt(folder, owner, keys)
  return {
    keys,
    layerId,
    async copyTo(host) {
      const { facts, origin, machine } = await layers.look(layerId)
      if (facts === null || origin === null || machine === null) throw new Error('the prepared guest is gone')
      await host.layers.beginCopy({ layerId, facts, origin, machine }, authority)
      for (const name of ['disk', 'memory'] as const) {
        const length = facts[name]?.bytes ?? 0
        for (let offset = 0; offset < length; offset += pieceBytes) {
          const piece = await layers.read(layerId, name, offset, Math.min(pieceBytes, length - offset))
          await host.layers.write(layerId, name, offset, piece, authority)
        }
      }
      await host.layers.completeCopy(layerId, authority)
    },
  }
}

/** Files run beside each other: one of them prepares, the others wait for it. */
async function preparedOnce(folder: string, file: string): Promise<void> {
  if (existsSync(file)) return
  const taken = join(folder, 'preparing')
  try {
    await mkdir(taken)
  } catch {
    const ended = async () => existsSync(file) || !existsSync(taken)
    await eventually(ended, { timeoutMilliseconds: patienceMilliseconds })
    return preparedOnce(folder, file)
  }
  try {
    await prepare(folder, file)
  } finally {
    await rmdir(taken)
  }
}

interface Prepared {
  layerId: string
  owner: string
  keys: KeyPair
}

async function prepare(folder: string, file: string): Promise<void> {
  await chmod(folder, 0o755)
  const [layerId, owner] = [newId(), newId()]
  const keys = await newKeyPair(join(folder, 'keys'), 'agent')
  await offerImage(join(folder, 'images'), 'debian-12')
  const host = hostAt(folder, owner, keys)
  const given = guestSpecification(keys.publicKey)
  const { environmentId } = given
  try {
    await host.machines.create(given, authority)
    await host.machines.start(environmentId, authority)
    const guest = await guestOf(host, environmentId, keys)
    const signal = AbortSignal.timeout(patienceMilliseconds)
    await guest.identify(signal)
    await guest.awaitOwnSetUp(given.diskGibibytes, signal)
    guest.close()
    await host.layers.freeze({ layerId, environmentId, memory: true }, authority)
    const { facts } = await host.layers.look(layerId)
    if (facts?.memory == null) throw new Error(`no memory was kept: ${facts?.memoryFault}`)
    await host.machines.remove(environmentId, authority)
  } catch (thrown) {
    await removeDomainsOf([owner])
    throw thrown
  }
  const whole = `${file}.new`
  await writeFile(whole, JSON.stringify({ layerId, owner, keys } satisfies Prepared))
  await rename(whole, file)
}

function hostAt(folder: string, owner: string, keys: KeyPair): LibvirtHost {
  return new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, 'machines'),
    ...layersAt(join(folder, 'layers')),
    owner,
    ...guestNetwork,
    agentKey: keys.publicKey,
    capacity: {},
    clock: systemClock,
  })
}

/** The guest of a machine, as the agent speaks to it. */
export async function guestOf(host: LibvirtHost, environmentId: string, keys: KeyPair): Promise<SshGuest> {
  const { address, identity } = await host.machines.look(environmentId)
  if (address === null || identity === null) throw new Error('the machine has no address')
  const runner = new LocalCommandRunner()
  const options = {
    privateKey: await readFile(keys.path, 'utf8'),
    connect: (at: string, port: number) => runner.connect(at, port),
    clock: systemClock,
  }
  return new SshGuest({ environmentId, address, identity }, options)
}
