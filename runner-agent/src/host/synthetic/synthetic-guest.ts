import { setTimeout as delay } from 'node:timers/promises'
import { bindingStepNames, type StepName, stepNames } from '@hearth/contract'
import { z } from 'zod'
import type { GuestCalls } from '../../guest/call.ts'
import { environmentFilePath } from '../../guest/environment-file.ts'
import {
  type Guest,
  type GuestEvidence,
  type GuestMachine,
  type GuestStep,
  GuestUnreachable,
  goesOn,
  IdentityNotTaken,
  type IdentityTaking,
  type Origin,
  type StepEvent,
  type StepOutcome,
} from '../../guest/guest.ts'
import type { GuestInputs } from '../../guest/input.ts'
import type { GuestProcesses } from '../../guest/process.ts'
import type { GuestVolumes } from '../../guest/volume.ts'
import { HostKeyMismatch } from '../../secure-shell/connection.ts'
import { isNewer, StaleAuthority } from '../authority.ts'
import { HostError } from '../host-error.ts'
import type { VolumeFolders } from '../volumes/volume-folders.ts'
import { guestFileName, isInMemory, isProcessInMemory } from './guest-files.ts'
import type { MachineStore } from './machine-store.ts'
import { readRepositoryFile } from './repository-files.ts'
import { failsByChance, type SyntheticWorld } from './settings.ts'
import { syntheticCalls } from './synthetic-calls.ts'
import { SyntheticGuestVolumes } from './synthetic-guest-volumes.ts'
import { SyntheticInputs } from './synthetic-inputs.ts'
import { SyntheticProcesses } from './synthetic-processes.ts'

const numbers = { epoch: z.number(), generation: z.number() }
const fenceSchema = z.object(numbers)
const ledgerEntrySchema = z.object({
  startedAt: z.number(),
  endsAt: z.number(),
  fails: z.boolean(),
  /** On whose behalf the step was started. */
  origin: z.object({ runnerId: z.string(), ...numbers }),
})

const ledgerFile = (stepKey: string) => `step-${stepKey}.json`

/** Says whose steps and numbers are in the guest: the machine id. */
const ledgerOwnerFile = 'guest-var-lib-hearth-machine'

const environmentFileName = guestFileName(environmentFilePath)

/** The inside of a synthetic machine: a step takes the time given in the settings, and runs nothing but an `exit` at an end. */
export class SyntheticGuest implements Guest {
  readonly connections = 0
  readonly processes: GuestProcesses
  readonly calls: GuestCalls
  readonly volumes: GuestVolumes
  readonly inputs: GuestInputs

  constructor(
    private readonly machine: GuestMachine,
    private readonly store: MachineStore,
    private readonly world: SyntheticWorld,
    /** The volumes of its host; null for a host that has none. */
    volumes: Pick<VolumeFolders, 'keptFor'> | null = null,
  ) {
    const { environmentId } = machine
    this.processes = new SyntheticProcesses(environmentId, store, world)
    this.volumes = new SyntheticGuestVolumes(environmentId, store, volumes, (signal) =>
      this.answering(signal),
    )
    this.inputs = new SyntheticInputs(store.folderOf(environmentId))
    this.calls = syntheticCalls(store.folderOf(environmentId), world.settings.runsCommands)
  }

  async identify(signal: AbortSignal): Promise<GuestEvidence> {
    await this.answering(signal)
    const { identity, address } = this.machine
    const another = (await this.store.read(this.machine.environmentId))?.guest ?? null
    if (another !== null && another.hostKey !== address.hostKey) {
      throw new HostKeyMismatch(`the server at ${address.host}:${address.port} has another host key`)
    }
    const { machineId, hostname, randomSeedDigest } = another ?? identity
    const isFresh = !failsByChance(this.world.settings, 'ensure_server', this.world.random)
    const randomSeedFresh = isFresh && randomSeedDigest === identity.randomSeedDigest
    return { machineId, hostname, hostKeyMatches: true, randomSeedFresh, clockOffsetMilliseconds: 0 }
  }

  async takeIdentity(
    { formerHostKey, resumed }: IdentityTaking,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    await this.answering(signal)
    const { environmentId, address } = this.machine
    const machine = await this.store.read(environmentId)
    if (machine === null) throw new GuestUnreachable('its machine is gone')
    const shown = machine.guest?.hostKey ?? address.hostKey
    if (![formerHostKey, address.hostKey].includes(shown)) {
      throw new HostKeyMismatch(`the server at ${address.host}:${address.port} has another host key`)
    }
    if (failsByChance(this.world.settings, 'own_identity', this.world.random)) {
      throw new IdentityNotTaken('simulated failure: the guest does not take its identity')
    }
    // Another machine's steps and numbers say nothing about this one.
    const owner = await this.store.readText(environmentId, ledgerOwnerFile)
    const isOthers = owner !== this.machine.identity.machineId
    const isForgotten = (name: string) =>
      isProcessInMemory(name) ? resumed || isOthers : isOthers && !name.startsWith('guest-')
    const names = Object.keys(await this.store.readGuestFiles(environmentId))
    for (const name of names.filter(isForgotten)) await this.store.removeFile(environmentId, name)
    await this.pass(origin)
    await this.store.writeText(environmentId, ledgerOwnerFile, this.machine.identity.machineId)
    await this.store.write(environmentId, { ...machine, guest: null })
  }

  async awaitOwnSetUp(): Promise<string> {
    return ''
  }

  async scrub(signal: AbortSignal): Promise<void> {
    await this.answering(signal)
    const { environmentId } = this.machine
    await this.until(this.world.clock.now().getTime() + this.world.settings.stepMilliseconds, signal)
    for (const name of Object.keys(await this.store.readGuestFiles(environmentId))) {
      if (isRemovedByScrub(name)) await this.store.removeFile(environmentId, name)
    }
  }

  async sync(): Promise<void> {
    // The guest's state is kept on the host.
  }

  async writePrivateFile(path: string, content: string, origin: Origin, signal: AbortSignal): Promise<void> {
    await this.answering(signal)
    await this.pass(origin)
    if (
      path === environmentFilePath &&
      failsByChance(this.world.settings, 'set_env_vars', this.world.random)
    ) {
      throw new HostError('host_refused', `simulated failure: ${path} could not be written`)
    }
    await this.store.writeText(this.machine.environmentId, guestFileName(path), content)
  }

  async writeFileForStep(
    stepKey: string,
    path: string,
    content: string,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    await this.answering(signal)
    await this.pass(origin)
    const { environmentId } = this.machine
    if ((await this.store.readText(environmentId, ledgerFile(stepKey))) !== null) return
    await this.store.writeText(environmentId, guestFileName(path), content)
  }

  async readFiles(paths: readonly string[], signal: AbortSignal): Promise<(string | null)[]> {
    await this.answering(signal)
    const { repositories } = this.world.settings
    return Promise.all(paths.map((path) => readRepositoryFile(repositories, path)))
  }

  async *runSteps(
    steps: readonly GuestStep[],
    origin: Origin,
    signal: AbortSignal,
  ): AsyncIterable<StepEvent> {
    for (const [index, step] of steps.entries()) {
      const outcome = yield* this.runStep(index, step, origin, signal)
      yield { kind: 'outcome', index, outcome }
      if (!goesOn(outcome)) return
    }
  }

  close(): void {
    // There is nothing to close.
  }

  async shutDown(): Promise<void> {
    // The synthetic host shuts down at once.
  }

  private async *runStep(
    index: number,
    step: GuestStep,
    origin: Origin,
    signal: AbortSignal,
  ): AsyncGenerator<StepEvent, StepOutcome> {
    await this.answering(signal)
    const output = (text: string): StepEvent => ({ kind: 'output', index, chunk: Buffer.from(text) })
    const entry = await this.startOrLook(step, origin)
    const each = (entry.endsAt - entry.startedAt) / Math.max(1, step.commands.length)
    for (const [position, command] of step.commands.entries()) {
      const [firstLine = ''] = command.command.split('\n')
      yield output(`==> ${command.name}\nsimulated: ${firstLine}\n`)
      await this.until(entry.startedAt + each * (position + 1), signal)
      const exitCode = exitCodeOf(command.command)
      if (exitCode === 0 || entry.fails || step.onlyWithExecutable !== null) continue
      await this.removeFilesOf(step)
      const times = { startedAt: entry.startedAt, finishedAt: this.world.clock.now().getTime() }
      const { limitSeconds } = step
      return { kind: 'failed', exitCode, command: position, cause: 'exit', limitSeconds, times }
    }
    await this.until(entry.endsAt, signal)
    await this.removeFilesOf(step)
    const times = { startedAt: entry.startedAt, finishedAt: entry.endsAt }
    if (step.onlyWithExecutable !== null && !entry.fails) return { kind: 'skipped', times }
    if (!entry.fails) return { kind: 'succeeded', times }
    yield output('simulated failure, as the settings say\n')
    const command = Math.max(0, step.commands.length - 1)
    return { kind: 'failed', exitCode: 1, command, cause: 'exit', limitSeconds: step.limitSeconds, times }
  }

  /** A step removes the files in memory that its commands name, which were written for it. */
  private async removeFilesOf({ commands }: GuestStep): Promise<void> {
    const { environmentId } = this.machine
    const named = commands
      .flatMap(({ command }) => command.match(/\/run\/[\w./-]+/g) ?? [])
      .map(guestFileName)
    const there = Object.keys(await this.store.readGuestFiles(environmentId))
    for (const name of there.filter((each) => isInMemory(each) && named.includes(each)))
      await this.store.removeFile(environmentId, name)
  }

  private async startOrLook(step: GuestStep, { runnerId, epoch, generation }: Origin) {
    const name = ledgerFile(step.key)
    const kept = await this.store.readText(this.machine.environmentId, name)
    if (kept !== null) return ledgerEntrySchema.parse(JSON.parse(kept))
    await this.pass({ runnerId, epoch, generation })
    const startedAt = this.world.clock.now().getTime()
    const entry = {
      startedAt,
      endsAt: startedAt + this.world.settings.stepMilliseconds,
      fails: failsByChance(this.world.settings, stepName(step.key), this.world.random),
      origin: { runnerId, epoch, generation },
    }
    await this.store.writeText(this.machine.environmentId, name, JSON.stringify(entry))
    return entry
  }

  /** Accepts the origin and stores its epoch and generation, unless the guest has seen newer ones. */
  private async pass({ epoch, generation }: Origin): Promise<void> {
    const { environmentId } = this.machine
    const kept = await this.store.readText(environmentId, 'fence.json')
    const seen = kept === null ? null : fenceSchema.parse(JSON.parse(kept))
    if (seen !== null && isNewer(seen, { epoch, generation })) {
      throw new StaleAuthority(seen, { epoch, generation })
    }
    if (seen?.epoch === epoch && seen.generation === generation) return
    await this.store.writeText(environmentId, 'fence.json', JSON.stringify({ epoch, generation }))
  }

  private async answering(signal: AbortSignal): Promise<void> {
    const machine = await this.store.read(this.machine.environmentId)
    await this.until(machine?.power === 'running' ? machine.answersAt : Number.POSITIVE_INFINITY, signal)
  }

  private async until(time: number, signal: AbortSignal): Promise<void> {
    const left = time - this.world.clock.now().getTime()
    if (left <= 0) return
    try {
      await delay(Math.min(left, 2 ** 31 - 1), undefined, { signal })
    } catch {
      throw new GuestUnreachable('it did not answer', { cause: signal.reason })
    }
  }
}

/** Whether a file of the guest says what it was told or did; what its commands wrote stays. */
function isRemovedByScrub(name: string): boolean {
  if (name === environmentFileName || name === ledgerOwnerFile) return true
  return !name.startsWith('guest-') || isProcessInMemory(name)
}

/** The status that a command ends with where its last statement says so; the others end well. */
function exitCodeOf(command: string): number {
  const [, code = '0'] = /(?:^|[;\n]|&&)\s*exit\s+(\d{1,3})$/.exec(command.trimEnd()) ?? []
  return Number(code) & 255
}

/** The step in a key: `clone_repo` for `clone_repo.shop-3`. */
function stepName(key: string): StepName {
  const names: readonly StepName[] = [...stepNames, ...bindingStepNames]
  return names.find((name) => key.startsWith(`${name}.`) || key.startsWith(`${name}-`)) ?? 'project_setup'
}
