import { setTimeout as delay } from 'node:timers/promises'
import { type StepName, stepNames } from '@hearth/contract'
import { z } from 'zod'
import {
  type Guest,
  type GuestEvidence,
  type GuestMachine,
  type GuestStep,
  GuestUnreachable,
  type StepOutcome,
} from '../../guest/guest.ts'
import type { MachineStore } from './machine-store.ts'
import { failsByChance, type SyntheticWorld } from './settings.ts'

const ledgerEntrySchema = z.object({ startedAt: z.number(), endsAt: z.number(), fails: z.boolean() })

/** The inside of a synthetic machine: steps take the time the settings say, and run nothing. */
export class SyntheticGuest implements Guest {
  constructor(
    private readonly machine: GuestMachine,
    private readonly store: MachineStore,
    private readonly world: SyntheticWorld,
  ) {}

  async identify(signal: AbortSignal): Promise<GuestEvidence> {
    await this.answering(signal)
    const { machineId, hostname } = this.machine.identity
    const randomSeedFresh = !failsByChance(this.world.settings, 'ensure_server', this.world.random)
    return { machineId, hostname, hostKeyMatches: true, randomSeedFresh, clockOffsetMilliseconds: 0 }
  }

  async writeEnvironmentFile(content: string, signal: AbortSignal): Promise<void> {
    await this.answering(signal)
    await this.store.writeText(this.machine.environmentId, 'guest.env', content)
  }

  async runStep(
    step: GuestStep,
    onOutput: (chunk: Buffer) => void,
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    await this.answering(signal)
    const entry = await this.startOrLook(step)
    const each = (entry.endsAt - entry.startedAt) / Math.max(1, step.commands.length)
    for (const [index, command] of step.commands.entries()) {
      const [firstLine = ''] = command.command.split('\n')
      onOutput(Buffer.from(`==> ${command.name}\nsimulated: ${firstLine}\n`))
      await this.until(entry.startedAt + each * (index + 1), signal)
    }
    await this.until(entry.endsAt, signal)
    const times = { startedAt: entry.startedAt, finishedAt: entry.endsAt }
    if (step.onlyWithExecutable !== null && !entry.fails) return { kind: 'skipped', times }
    if (!entry.fails) return { kind: 'succeeded', times }
    onOutput(Buffer.from('simulated failure, as the settings say\n'))
    const command = Math.max(0, step.commands.length - 1)
    return { kind: 'failed', exitCode: 1, command, cause: 'exit', limitSeconds: step.limitSeconds, times }
  }

  async shutDown(): Promise<void> {
    // The host does it at once.
  }

  close(): void {
    // Nothing is kept open.
  }

  private async startOrLook(step: GuestStep) {
    const name = `step-${step.key}.json`
    const kept = await this.store.readText(this.machine.environmentId, name)
    if (kept !== null) return ledgerEntrySchema.parse(JSON.parse(kept))
    const startedAt = this.world.clock.now().getTime()
    const entry = {
      startedAt,
      endsAt: startedAt + this.world.settings.stepMilliseconds,
      fails: failsByChance(this.world.settings, stepName(step.key), this.world.random),
    }
    await this.store.writeText(this.machine.environmentId, name, JSON.stringify(entry))
    return entry
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

/** `clone_repo.shop-3` is of the step `clone_repo`. */
function stepName(key: string): StepName {
  return stepNames.find((name) => key.startsWith(`${name}.`) || key.startsWith(`${name}-`)) ?? 'project_setup'
}
