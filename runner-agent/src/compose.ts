import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@hearth/foundation'
import { connectMessaging } from '@hearth/messaging'
import { type Logger, pino, stdSerializers } from 'pino'
import type { AgentParts } from './agent.ts'
import type { Config } from './config.ts'
import type { OpenGuest } from './guest/guest.ts'
import { GuestPorts } from './guest/ssh/guest-ports.ts'
import { SshGuest } from './guest/ssh/ssh-guest.ts'
import type { CommandRunner } from './host/command/command-runner.ts'
import { LocalCommandRunner } from './host/command/local.ts'
import { SecureShellCommandRunner } from './host/command/secure-shell.ts'
import { ExclusionScope } from './host/exclusion-scope.ts'
import { exclusiveMachines } from './host/exclusive-machines.ts'
import type { Host } from './host/host.ts'
import { ImageFolder } from './host/libvirt/image-folder.ts'
import { LibvirtHost } from './host/libvirt/libvirt-host.ts'
import { socketsFolder } from './host/libvirt/network/sockets-folder.ts'
import { closeMachines } from './host/libvirt/rights.ts'
import { proveVirtualization } from './host/libvirt/virtualization-proof.ts'
import { MachineStore } from './host/synthetic/machine-store.ts'
import { SyntheticGuest } from './host/synthetic/synthetic-guest.ts'
import { SyntheticHost } from './host/synthetic/synthetic-host.ts'
import { VolumeFolders } from './host/volumes/volume-folders.ts'
import { Ingress } from './ingress/ingress.ts'
import { EpochFile } from './lease/epoch-file.ts'
import { readArtifact } from './registration/read-artifact.ts'
import { register, renewCredentials } from './registration/register.ts'
import { type AgentKeys, loadKeys } from './state/keys.ts'
import { readRunnerFile } from './state/runner-file.ts'
import { defaultTimings } from './timings.ts'
import { agentVersion } from './version.ts'
import { environments } from './work/environment/handler.ts'
import { processes } from './work/process/handler.ts'
import { routesServedBy } from './work/route/handler.ts'
import { snapshotsServedAt } from './work/snapshot/handler.ts'
import { volumes } from './work/volume/handler.ts'

const syntheticBootConcurrency = 256
const syntheticCapacity = { virtualCpus: 100_000, memoryMebibytes: 1_000_000_000, diskGibibytes: 10_000_000 }
const syntheticImages = ['debian-12']

export function createLogger(config: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    base: { program: 'runner-agent' },
    serializers: { error: stdSerializers.err },
  })
}

/** Builds the agent from its settings; the only place that knows which kind of host it drives. */
export async function compose(config: Config, log: Logger): Promise<AgentParts> {
  const runner = await readRunnerFile(config.stateFolder)
  const keys = await loadKeys(config.stateFolder)
  // A host driven over SSH keeps its state on that host, so the agents of one identity share one state folder of
  // their own here.
  const locksAt = config.libvirt.secureShell === null ? config.libvirt.hostStateFolder : config.stateFolder
  const locks = join(locksAt, 'locks')
  const { files, exclusion, host, openGuest, guestPorts, bootConcurrency } =
    config.hostKind === 'synthetic'
      ? composeSynthetic(config, runner.runnerId, locks)
      : await composeLibvirt(config, runner.runnerId, keys, locks, log)
  const bootSlots = config.bootConcurrency ?? bootConcurrency
  const ingress = composeIngress(config, log)
  const epochPath = join(config.libvirt.hostStateFolder, 'epoch.json')
  return {
    host: {
      machines: exclusiveMachines(host.machines, exclusion),
      layers: host.layers,
      volumes: host.volumes,
      facts: () => host.facts(),
      freeDiskBytes: () => host.freeDiskBytes(),
      close: async () => {
        guestPorts?.close()
        await host.close()
      },
    },
    epochs: new EpochFile(files, epochPath, runner.runnerId, locks),
    openGuest,
    openGuestPort: guestPorts === null ? undefined : guestPorts.open.bind(guestPorts),
    portConnectionsTo: guestPorts === null ? undefined : guestPorts.connectionsTo.bind(guestPorts),
    runnerId: runner.runnerId,
    sealingKey: keys.sealing.privateKey,
    readArtifact: (artifactId, from, signal) => readArtifact(runner, artifactId, from, signal),
    work: [
      environments,
      processes,
      snapshotsServedAt(config.layersAddress),
      routesServedBy(ingress, withoutIngress(config)),
      volumes,
    ],
    isUsedByRoute: ingress === null ? undefined : (id) => ingress.isUsed(id),
    bootConcurrency: bootSlots,
    resumeFreeBytes: config.resumeFreeBytes,
    stepDeadlines: config.stepDeadlines,
    listen: config.listen,
    clock: systemClock,
    timings: defaultTimings,
    log,
    readFacts: async () => ({
      ...(await host.facts()),
      ...(config.layersAddress === null ? {} : { layerAddress: config.layersAddress }),
      bootSlots,
      suspends: true,
      bringsInputs: true,
      ...(ingress === null ? ingressFacts(config) : await ingress.facts()),
      agentVersion,
      sealingKey: keys.sealing.publicKey,
    }),
    register: (facts, signal) => register(runner, facts, log, signal),
    renewCredentials: (signal) => renewCredentials(runner, signal),
    connect: connectMessaging,
  }
}

/** A proxy on the agent's own host reaches no ports of another's guests. */
function composeIngress({ ingress, stateFolder, libvirt, hostKind }: Config, log: Logger): Ingress | null {
  if (ingress === null || (hostKind === 'libvirt' && libvirt.secureShell !== null)) return null
  const settings = { ...ingress, folder: join(stateFolder, 'ingress') }
  return new Ingress(settings, log, defaultTimings.activity)
}

function withoutIngress({ ingress }: Config): string {
  return ingress === null
    ? 'its agent serves no routes: set HEARTH_INGRESS_DOMAIN'
    : 'its agent drives the host over SSH: routes are served by an agent that runs on its host'
}

const ingressFacts = (config: Config) =>
  config.ingress === null ? {} : { ingressFault: withoutIngress(config) }

interface ComposedHost {
  files: CommandRunner
  exclusion: ExclusionScope
  host: Host
  openGuest: OpenGuest
  /** Null where guests have no ports but those of their host. */
  guestPorts: GuestPorts | null
  bootConcurrency: number
}

function composeSynthetic(config: Config, owner: string, locks: string): ComposedHost {
  const world = { settings: config.synthetic, clock: systemClock, random: Math.random }
  const machinesFolder = join(config.libvirt.hostStateFolder, 'environments')
  const volumesFolder = join(config.libvirt.hostStateFolder, 'volumes')
  const { virtualCpus, memoryMebibytes, diskGibibytes } = config.capacity
  const exclusion = new ExclusionScope(locks, machinesFolder)
  const host = new SyntheticHost({
    ...world,
    machinesFolder,
    layersFolder: join(config.libvirt.hostStateFolder, 'layers'),
    volumesFolder,
    exclusion,
    diskReserveBytes: config.diskReserveBytes,
    owner,
    capacity: {
      virtualCpus: virtualCpus ?? syntheticCapacity.virtualCpus,
      memoryMebibytes: memoryMebibytes ?? syntheticCapacity.memoryMebibytes,
      diskGibibytes: diskGibibytes ?? syntheticCapacity.diskGibibytes,
    },
    images: syntheticImages,
  })
  const store = new MachineStore(machinesFolder, owner)
  const volumeFolders = new VolumeFolders(new LocalCommandRunner(), volumesFolder, owner)
  return {
    files: new LocalCommandRunner(),
    exclusion,
    host,
    openGuest: (machine) => new SyntheticGuest(machine, store, world, volumeFolders),
    guestPorts: null,
    bootConcurrency: syntheticBootConcurrency,
  }
}

async function composeLibvirt(
  config: Config,
  owner: string,
  keys: AgentKeys,
  locks: string,
  log: Logger,
): Promise<ComposedHost> {
  const { libvirt } = config
  const runner = await composeRunner(config)
  const virtualization =
    libvirt.virtualization === 'auto' ? await prove(config, runner, log) : libvirt.virtualization
  const isRoot = libvirt.secureShell === null ? process.getuid?.() === 0 : libvirt.secureShell.user === 'root'
  const machinesFolder = join(libvirt.hostStateFolder, 'environments')
  await closeMachines(runner, machinesFolder)
  const exclusion = new ExclusionScope(locks, `${runner.describedAs} ${machinesFolder}`)
  const host = new LibvirtHost({
    runner,
    uri: libvirt.uri ?? (isRoot ? 'qemu:///system' : 'qemu:///session'),
    virtualization,
    imagesFolder: libvirt.imagesFolder,
    machinesFolder,
    layersFolder: join(libvirt.hostStateFolder, 'layers'),
    volumesFolder: join(libvirt.hostStateFolder, 'volumes'),
    exclusion,
    diskReserveBytes: config.diskReserveBytes,
    owner,
    guestAddress: libvirt.guestAddress,
    network: libvirt.network,
    socketsFolder: await socketsFolder(runner, isRoot),
    isRoot,
    agentKey: keys.secureShell.publicKey,
    capacity: config.capacity,
    clock: systemClock,
  })
  const secureShell = {
    privateKey: keys.secureShell.privateKey,
    connect: (address: string, port: number) => runner.connect(address, port),
    clock: systemClock,
  }
  return {
    files: runner,
    exclusion,
    host,
    openGuest: (machine) => new SshGuest(machine, secureShell),
    guestPorts: new GuestPorts(secureShell),
    bootConcurrency: 2 * availableParallelism(),
  }
}

async function composeRunner({ libvirt }: Config): Promise<CommandRunner> {
  if (libvirt.secureShell === null) return new LocalCommandRunner()
  const { host, port, user, keyFile, hostKey } = libvirt.secureShell
  return new SecureShellCommandRunner({
    host,
    port,
    user,
    hostKey,
    privateKey: await readFile(keyFile, 'utf8'),
  })
}

async function prove(config: Config, runner: CommandRunner, log: Logger): Promise<'kvm' | 'qemu'> {
  const images = new ImageFolder(runner, config.libvirt.imagesFolder)
  const [name] = await images.names()
  const kernelPath = name === undefined ? null : (await images.find(name)).kernelPath
  const cache = join(config.libvirt.hostStateFolder, 'virtualization.json')
  const proof = await proveVirtualization(runner, kernelPath, cache)
  log.info(proof, 'virtualization')
  return proof.virtualization
}
