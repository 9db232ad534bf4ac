import type { BindingOrder, Failure, StepStatus } from '@hearth/contract'
import { Deadline } from '@hearth/foundation'
import { environmentFile, environmentFilePath } from '../../guest/environment-file.ts'
import { type Guest, GuestUnreachable } from '../../guest/guest.ts'
import { StaleAuthority } from '../../host/authority.ts'
import type { Machine } from '../../host/machine.ts'
import { LeaseNotHeld } from '../../lease/lease.ts'
import { BindingKeeper } from './binding-keeper.ts'
import { isOf, newBinding } from './binding-record.ts'
import { BindingScripts } from './binding-scripts.ts'
import { environmentSecretNames } from './clone.ts'
import type { EnvironmentParts } from './environment-parts.ts'
import { stepLimitSeconds } from './guest-steps.ts'
import { runScripts } from './script-run.ts'
import { secretAutomaton } from './secret-mask.ts'
import { bindingSecrets, maskedValues, openSecrets } from './secrets.ts'
import { thrownFailure } from './step-failure.ts'
import { openStepLog } from './step-log.ts'

interface BindingFailed {
  failure: Failure
  index: number
  exitCode: number | null
}

/** Binds a machine that runs to its claim, over one connection. How that fails is the claim's: the machine runs on. */
export class BindingRun {
  constructor(private readonly parts: EnvironmentParts) {}

  async bind(machine: Machine): Promise<void> {
    const { task, context, bootSlot, record } = this.parts
    const binding = this.wanted()
    bootSlot.release()
    const known = record.open().binding
    const kept =
      known !== null && isOf(known, binding)
        ? known
        : { ...newBinding(binding), formerHostname: known?.formerHostname ?? null }
    const keeper = new BindingKeeper(record, kept, context)
    const { interrupted } = task
    let failed: BindingFailed | 'interrupted' | null
    try {
      failed = await this.run(binding, keeper, machine)
    } catch (thrown) {
      if (thrown instanceof StaleAuthority || thrown instanceof LeaseNotHeld) throw thrown
      if (interrupted.aborted) return
      const index = keeper.runningIndex
      failed = { failure: thrownFailure(thrown, keeper.steps[index]?.name), index, exitCode: null }
    }
    if (failed === 'interrupted') return
    if (failed === null) {
      const boundAt = context.clock.now().toISOString()
      keeper.change({ phase: 'bound', boundAt, formerHostname: null })
    } else {
      const { failure, index, exitCode } = failed
      context.log.warn({ environmentId: task.order.id, claimId: binding.claimId, failure }, 'binding failed')
      if (index >= 0) keeper.endStep(index, { phase: 'failed', exitCode, error: failure.message })
      keeper.change({ phase: 'failed', failure })
    }
    await keeper.keep()
    task.report('running')
  }

  /** The variables of a machine whose disk was put back. */
  async bindAgain(machine: Machine): Promise<void> {
    const { task, record, guest, context } = this.parts
    const limit = stepLimitSeconds('bind_variables', [], context.deadlines)
    using deadline = new Deadline(limit * 1000, task.interrupted)
    await this.writeVariables(this.wanted(), guest.open(machine).guest, deadline.signal)
    const { binding } = record.open()
    if (binding !== null) await record.keep({ binding: { ...binding, lacksVariables: false } })
  }

  private async run(
    binding: BindingOrder,
    keeper: BindingKeeper,
    machine: Machine,
  ): Promise<BindingFailed | 'interrupted' | null> {
    const { guest } = this.parts
    const opened = guest.open(machine).guest
    const failed = await this.bindVariables(binding, keeper, opened)
    if (failed !== null) return failed
    await this.rename(binding, keeper, machine)
    const indexes = keeper.steps.flatMap(({ phase }, index) =>
      phase === 'pending' || phase === 'running' ? [index] : [],
    )
    return indexes.length === 0 ? null : this.runSteps(indexes, binding, keeper, opened)
  }

  private async bindVariables(
    binding: BindingOrder,
    keeper: BindingKeeper,
    guest: Guest,
  ): Promise<BindingFailed | 'interrupted' | null> {
    const { task, context } = this.parts
    const index = keeper.steps.findIndex(({ name }) => name === 'bind_variables')
    const before = keeper.steps[index]
    if (before === undefined || before.finishedAt !== null) return null
    const { startedAt } = keeper.beginStep(index)
    await keeper.keep()
    task.report('running')
    const limit = stepLimitSeconds('bind_variables', [], context.deadlines)
    const began = startedAt === null ? context.clock.now().getTime() : Date.parse(startedAt)
    using deadline = new Deadline(
      Math.max(1, began + limit * 1000 - context.clock.now().getTime()),
      task.interrupted,
    )
    try {
      await this.writeVariables(binding, guest, deadline.signal, keeper.steps.length > 1)
    } catch (thrown) {
      if (task.interrupted.aborted) return 'interrupted'
      if (!deadline.hasPassed && !(thrown instanceof GuestUnreachable)) throw thrown
      const why = thrown instanceof GuestUnreachable ? `: ${thrown.message}` : ''
      const message = `bind_variables was not over after ${limit} s${why}`
      return { failure: { code: 'deadline_passed', message, step: 'bind_variables' }, index, exitCode: null }
    }
    keeper.endStep(index, { phase: 'succeeded', exitCode: 0, error: null })
    return null
  }

  /** The last of the steps that follow syncs the disk; without any, this does. */
  private async writeVariables(
    binding: BindingOrder,
    guest: Guest,
    signal: AbortSignal,
    isSynced = false,
  ): Promise<void> {
    const { task, context } = this.parts
    const { order } = task
    const names = new Set(environmentSecretNames(order.plan))
    const given = Object.entries(openSecrets(order, context.sealingKey)).filter(([name]) => names.has(name))
    const content = environmentFile({
      ...order.plan.variables,
      ...Object.fromEntries(given),
      ...binding.variables,
      ...bindingSecrets(order, context.sealingKey),
    })
    await task.authority.assertHeld()
    await guest.writePrivateFile(environmentFilePath, content, order, signal)
    if (!isSynced) await guest.sync(signal)
  }

  /** The host's part comes first: a machine that starts meanwhile is compared with either name. */
  private async rename({ hostname }: BindingOrder, keeper: BindingKeeper, machine: Machine): Promise<void> {
    const { task, context } = this.parts
    const known = machine.identity?.hostname ?? null
    if (hostname === null || known === hostname) return
    keeper.change({ formerHostname: known })
    await keeper.keep()
    await context.machines.rename(task.order.id, hostname, task.authority)
  }

  private async runSteps(
    indexes: readonly number[],
    binding: BindingOrder,
    keeper: BindingKeeper,
    guest: Guest,
  ): Promise<BindingFailed | 'interrupted' | null> {
    const { task, context } = this.parts
    const { order } = task
    const secrets = openSecrets(order, context.sealingKey)
    const hidden = { ...secrets, ...bindingSecrets(order, context.sealingKey) }
    const masked = await secretAutomaton([
      ...maskedValues(order, hidden),
      // A name that both have has two values.
      ...Object.values(secrets),
    ])
    const report = () => task.report('running')
    const result = await runScripts(indexes, {
      guest,
      order,
      authority: task.authority,
      keeper,
      scripts: new BindingScripts({ order, binding, guest, secrets, deadlines: context.deadlines }),
      clock: context.clock,
      interrupted: task.interrupted,
      openLog: (index: number, status: StepStatus) =>
        openStepLog(order, status, masked, context, (progress) => {
          keeper.setStep(index, progress)
          report()
        }),
      report,
    })
    if (result.kind === 'interrupted') return 'interrupted'
    return result.kind === 'failed' ? result : null
  }

  private wanted(): BindingOrder {
    const { binding } = this.parts.task.order
    if (binding == null) throw new Error('the order has nothing to bind')
    return binding
  }
}
