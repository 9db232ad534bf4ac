import { repositoryHookFiles, stepDeadlineSeconds } from '@hearth/contract'
import { assertNever, Deadline } from '@hearth/foundation'
import type { Machine } from '../../host/machine.ts'
import type { Failed } from '../work.ts'
import { readFiles } from './declarations.ts'
import type { EnvironmentParts } from './environment-parts.ts'
import { stepLimitSeconds } from './guest-steps.ts'
import { withoutMemory } from './machine-origin.ts'
import { startingPhase } from './next-step.ts'
import { ownIdentity } from './own-identity.ts'
import { PlanScripts } from './plan-scripts.ts'
import { checkServer, provision } from './provision.ts'
import { isFromSnapshot, isLastOpen, isProvisioned } from './record.ts'
import { runScripts, scriptRun } from './script-run.ts'
import { secretAutomaton } from './secret-mask.ts'
import { maskedValues, openSecrets } from './secrets.ts'
import { openStepLog } from './step-log.ts'
import { lastLines, noteAsOutput } from './step-output.ts'

/** A failure and the step of the record that it belongs to: the running step, unless an index names another. */
export interface FailedStep extends Failed {
  /** Index of the step; -1 for none. */
  index?: number
  exitCode?: number | null
}

/** Runs the steps in the guest of one environment. */
export class StepRunning {
  constructor(private readonly parts: EnvironmentParts) {}

  /** Compares the identity of a guest that has booted again with the one it was given. */
  async checkGuest(machine: Machine): Promise<FailedStep | null> {
    const { task, context, bootSlot, guest, record } = this.parts
    await bootSlot.take(task.interrupted)
    task.report(startingPhase(record.open()))
    const seconds = context.deadlines.ensure_server ?? stepDeadlineSeconds.ensure_server
    const formerHostname = record.record?.binding?.formerHostname ?? null
    const server = { ...guest.open(machine), clock: context.clock, formerHostname }
    const result = await checkServer(server, seconds, task.interrupted)
    if (result.kind === 'failed') return { failure: result.failure, index: -1 }
    if (result.kind === 'succeeded')
      await record.keep({ identity: result.identity ?? null, isResuming: false })
    return null
  }

  /** Runs or continues the provisioning step at this index of the record. */
  async provision(index: number, machine: Machine): Promise<FailedStep | null> {
    const { task, bootSlot, record } = this.parts
    const { steps } = record.open()
    const name = steps[index]?.name
    if (name === undefined || name === 'create_vm') throw new Error('create_vm is the host’s step')
    if (name === 'ensure_server' || name === 'own_identity') await bootSlot.take(task.interrupted)
    else bootSlot.release()
    if (name === 'own_identity') return this.takeIdentity(index, machine)
    return name === 'ensure_server' || name === 'set_env_vars'
      ? this.provisionGuest(index, name, machine)
      : this.runScripts(scriptRun(steps, index), machine)
  }

  /** Makes the guest the machine's own; one that went on from memory and cannot be is to boot instead. */
  private async takeIdentity(index: number, machine: Machine): Promise<FailedStep | null> {
    const { task, context, guest, record } = this.parts
    const { order } = task
    const { startedAt } = record.beginStep(index)
    await record.keep()
    const before = record.open()
    const phase = isProvisioned(before) ? 'starting' : 'provisioning'
    task.report(phase)
    const { startedFrom, formerHostKey } = before
    const resumed = startedFrom?.from === 'memory'
    const opened = guest.open(machine)
    const result = await ownIdentity({
      ...opened,
      order,
      authority: task.authority,
      taking: {
        files: await context.machines.givenFiles(order.id),
        formerHostKey: formerHostKey ?? machine.address?.hostKey ?? '',
        resumed,
      },
      limitSeconds: this.identitySeconds(resumed),
      startedAt: new Date(startedAt ?? context.clock.now()),
      clock: context.clock,
      interrupted: task.interrupted,
    })
    switch (result.kind) {
      case 'interrupted':
        return null
      case 'failed': {
        if (!resumed) return { failure: result.failure, index }
        const { message } = result.failure
        context.log.warn(
          { environmentId: order.id, message },
          'the resumed guest is of no use: the machine boots',
        )
        await record.keep({ memoryStart: 'given_up', startedFrom: withoutMemory(startedFrom, message) })
        return null
      }
      case 'succeeded':
        record.endStep(index, { phase: 'succeeded', exitCode: 0, error: null })
        await record.keep({ identity: result.identity })
        task.report(phase)
        return null
      default:
        return assertNever(result)
    }
  }

  /** A guest that boots first has the time of a boot, too. */
  private identitySeconds(resumed: boolean): number {
    const { deadlines } = this.parts.context
    const own = stepLimitSeconds('own_identity', [], deadlines)
    return resumed ? own : own + stepLimitSeconds('ensure_server', [], deadlines)
  }

  private async provisionGuest(
    index: number,
    name: 'ensure_server' | 'set_env_vars',
    machine: Machine,
  ): Promise<FailedStep | null> {
    const { task, context, bootSlot, guest, record } = this.parts
    const { order } = task
    const status = record.beginStep(index)
    await record.keep()
    task.report('provisioning')
    const result = await provision(
      { ...status, name },
      {
        ...guest.open(machine),
        order,
        authority: task.authority,
        secrets: openSecrets(order, context.sealingKey),
        deadlines: context.deadlines,
        clock: context.clock,
        interrupted: task.interrupted,
        isLast: isLastOpen(record.record, index),
        resumed: record.record?.startedFrom?.from === 'memory',
        readConsole: async () => lastLines(await context.machines.readConsole(order.id)),
      },
    )
    if (result.kind === 'interrupted') return null
    if (result.kind === 'failed') return { failure: result.failure, index, exitCode: result.exitCode }
    if (result.note) record.setStep(index, noteAsOutput(result.note))
    record.endStep(index, { phase: 'succeeded', exitCode: 0, error: null })
    await record.keep(result.identity === undefined ? {} : { identity: result.identity })
    if (result.identity !== undefined) bootSlot.release()
    task.report('provisioning')
    return null
  }

  /** Reads what a repository declares that was brought up to date, and whose hooks are not run again. */
  async readRepository(repository: string, machine: Machine): Promise<FailedStep | null> {
    const { task, context, guest, record } = this.parts
    const seconds = stepLimitSeconds('ensure_server', [], context.deadlines)
    using deadline = new Deadline(seconds * 1000, task.interrupted)
    const reading = { order: task.order, guest: guest.open(machine).guest, declarations: record }
    const hooks = await readFiles(repository, reading, deadline.signal)
    if (hooks.kind === 'fault' && hooks.file === repositoryHookFiles.hearth) {
      const message = `${hooks.file} of repository ${repository} does not fit: ${hooks.message}`
      const failure = { code: 'command_failed' as const, message, step: 'init_repo' as const }
      return { failure, index: record.indexOf('init_repo', repository) }
    }
    await record.keep()
    return null
  }

  private async runScripts(indexes: readonly number[], machine: Machine): Promise<FailedStep | null> {
    const { task, context, guest, record } = this.parts
    const { order } = task
    const secrets = openSecrets(order, context.sealingKey)
    const masked = await secretAutomaton(maskedValues(order, secrets))
    const report = () => task.report('provisioning')
    const opened = guest.open(machine).guest
    const result = await runScripts(indexes, {
      guest: opened,
      order,
      authority: task.authority,
      keeper: record,
      scripts: new PlanScripts({
        order,
        generation: record.open().generation,
        fromSnapshot: isFromSnapshot(record.open()),
        guest: opened,
        secrets,
        deadlines: context.deadlines,
        declarations: record,
      }),
      clock: context.clock,
      interrupted: task.interrupted,
      openLog: (index, status) =>
        openStepLog(order, status, masked, context, (progress) => {
          record.setStep(index, progress)
          report()
        }),
      report,
    })
    return result.kind === 'failed'
      ? { failure: result.failure, index: result.index, exitCode: result.exitCode }
      : null
  }
}
