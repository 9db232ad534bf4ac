import { setTimeout as delay } from 'node:timers/promises'
import {
  type EnvironmentOrder,
  type Failure,
  type StepName,
  type StepStatus,
  stepKey,
} from '@hearth/contract'
import { assertNever, backoff, toError } from '@hearth/foundation'
import type { Guest } from '../../guest/guest.ts'
import type { Machine } from '../../host/host.ts'
import { LogPublisher } from '../../reporting/log-publisher.ts'
import { Deadline } from './deadline.ts'
import { type NextStep, nextStep, phaseDuring } from './next-step.ts'
import { ensureServer, type ProvisionResult, provision } from './provision.ts'
import { type EnvironmentRecord, newRecord, parseRecord } from './record.ts'
import { maskedValues, openSecrets } from './secrets.ts'
import type { Slot } from './slots.ts'
import { machineSpecification } from './specification.ts'
import { thrownFailure } from './step-failure.ts'
import { lastLines, StepOutput } from './step-output.ts'
import type { WorkContext } from './work-context.ts'

const progressMilliseconds = 1_000
const shutdownSeconds = 60
const shutdownRequestSeconds = 20
const shutdownPollMilliseconds = 500

/** Brings one environment to what its newest order says: look, take one step, look again. */
export class EnvironmentWorker {
  private running: Promise<void> | null = null
  private again = false
  private interrupt = new AbortController()
  private record: EnvironmentRecord | null = null
  private guest: Guest | null = null
  private bootSlot: Slot | null = null
  private address: Machine['address'] = null

  constructor(
    private order: EnvironmentOrder,
    private readonly context: WorkContext,
    /** Told when the environment is deleted and that is stored. */
    private readonly forget: () => void,
  ) {}

  get currentOrder(): EnvironmentOrder {
    return this.order
  }

  /** Gives a newer order, or the same again, which changes nothing. */
  take(order: EnvironmentOrder): void {
    const changed =
      order.generation !== this.order.generation || order.desiredPhase !== this.order.desiredPhase
    this.order = order
    if (!changed) return
    this.interrupt.abort(new Error('a newer order came'))
    this.wake()
  }

  /** Looks again, now or as soon as the step being taken is over. */
  wake(): void {
    this.again = true
    if (this.running !== null || this.context.stopping.aborted) return
    this.running = this.loop().finally(() => {
      this.running = null
      if (this.again && !this.context.stopping.aborted) this.wake()
    })
  }

  /** Resolves when no step is being taken any more; guests and their steps go on. */
  async settle(): Promise<void> {
    this.interrupt.abort(new Error('the agent stops'))
    await this.running
    this.letGo()
  }

  private async loop(): Promise<void> {
    for (let failures = 0; this.again && !this.context.stopping.aborted; ) {
      this.again = false
      this.interrupt = new AbortController()
      try {
        await this.lookAndStep()
        failures = 0
      } catch (thrown) {
        this.context.log.error(
          { environmentId: this.order.id, error: toError(thrown) },
          'the host cannot be looked at',
        )
        this.again = true
        const wait = backoff(failures, { first: 500, most: 30_000 })
        failures += 1
        await delay(wait, undefined, { signal: this.context.stopping }).catch(() => undefined)
      }
    }
  }

  private async lookAndStep(): Promise<void> {
    const { host, log } = this.context
    const machine = await host.look(this.order.id)
    this.record = parseRecord(machine.record) ?? this.record
    if (machine.power === 'absent' && machine.record === null) this.record = null
    this.address = machine.address
    const step = nextStep(this.order, { machine, record: this.record })
    log.debug({ environmentId: this.order.id, power: machine.power, step: step.kind }, 'next step')
    try {
      await this.takeStep(step, machine)
    } catch (thrown) {
      if (this.interrupt.signal.aborted || this.context.stopping.aborted) {
        this.again = true
        return
      }
      await this.fail(thrownFailure(thrown, this.openStepName()))
    }
  }

  private async takeStep(step: NextStep, machine: Machine): Promise<void> {
    const { host } = this.context
    const { id } = this.order
    if (step.kind === 'rest') return this.rest(step)
    if (step.kind === 'refuse') {
      this.context.log.warn({ environmentId: id, reason: step.reason }, 'order refused')
      return
    }
    this.again = true
    switch (step.kind) {
      case 'fail':
        return this.fail(step.failure)
      case 'create':
        return this.create()
      case 'start':
        return this.start()
      case 'check_guest':
        return this.checkGuest(machine)
      case 'provision':
        return this.provision(step.index, machine)
      case 'stamp':
        return host.stamp(id, { epoch: this.order.epoch, generation: this.order.generation })
      case 'stop':
        return this.stop(machine)
      case 'remove':
        this.letGo()
        this.report('deleting')
        await host.remove(id)
        this.record = null
        return
      case 'start_over':
        this.letGo()
        await host.remove(id)
        this.record = null
        return
      case 'recover':
        await this.keep({ failure: null, failedGeneration: 0, power: 'stopped' })
        return
      default:
        return assertNever(step)
    }
  }

  private async rest(step: Extract<NextStep, { kind: 'rest' }>): Promise<void> {
    this.letGo()
    const { generation } = this.order
    const stored = this.report(step.phase, step.failure)
    if (step.phase !== 'deleted') return
    await stored
    if (!this.again && this.order.generation === generation && !this.context.stopping.aborted) this.forget()
  }

  private async create(): Promise<void> {
    await this.takeBootSlot()
    this.record ??= newRecord(this.order.generation, this.order.plan)
    this.beginStep('create_vm')
    this.report('provisioning')
    const { order, context } = this
    await context.host.create(machineSpecification(order))
    await this.keep({ power: 'stopped' })
  }

  private async start(): Promise<void> {
    await this.takeBootSlot()
    const provisioned = this.record !== null && phaseDuring({ kind: 'start' }, this.record) === 'starting'
    if (provisioned) this.report('starting')
    await this.context.host.start(this.order.id)
    this.finishStep('create_vm')
    await this.keep({ power: 'running', identity: null })
  }

  private async checkGuest(machine: Machine): Promise<void> {
    await this.takeBootSlot()
    this.report('starting')
    const seconds = this.context.deadlines.ensure_server ?? 600
    using deadline = new Deadline(seconds * 1000, this.interrupt.signal)
    const { guest, given } = this.openGuest(machine)
    const context = { guest, given, clock: this.context.clock }
    const result = await ensureServer(context, deadline.signal).catch((thrown: unknown): ProvisionResult => {
      if (this.interrupt.signal.aborted || !deadline.hasPassed) throw thrown
      const message = `the guest did not answer SSH within ${seconds} s of its start`
      return { kind: 'failed', exitCode: null, failure: { code: 'guest_unreachable', message } }
    })
    if (result.kind === 'failed') return this.fail(result.failure)
    if (result.kind === 'succeeded') await this.keep({ identity: result.identity ?? null })
  }

  private async provision(index: number, machine: Machine): Promise<void> {
    const record = this.record
    const status = record?.steps[index]
    if (record === null || status === undefined) throw new Error(`no step ${index} in the record`)
    if (status.name === 'ensure_server') await this.takeBootSlot()
    else this.releaseBootSlot()
    const began = this.beginStep(status.name, status.repository)
    await this.keep({})
    this.report('provisioning')
    const secrets = openSecrets(this.order, this.context.sealingKey)
    const logs = new LogPublisher(
      this.context.logs,
      this.order.runnerId,
      { environmentId: this.order.id, step: stepKey(status) },
      this.context.clock,
      this.context.log,
      this.context.closing,
    )
    let reported = this.context.clock.now().getTime()
    const output = new StepOutput(maskedValues(this.order, secrets), (text, offset) => {
      logs.add(text, offset)
      const now = this.context.clock.now().getTime()
      if (now - reported < progressMilliseconds) return
      reported = now
      this.setStep(index, { output: output.tail, outputBytes: output.bytes })
      this.report('provisioning')
    })
    const { guest, given } = this.openGuest(machine)
    const result = await provision(began, {
      order: this.order,
      generation: record.generation,
      given,
      guest,
      secrets,
      output,
      deadlines: this.context.deadlines,
      clock: this.context.clock,
      interrupted: this.interrupt.signal,
      readConsole: async () => lastLines(await this.context.host.readConsole(this.order.id)),
    })
    if (result.kind === 'interrupted') return
    output.end()
    this.context.track(logs.end(output.bytes))
    this.setStep(index, { output: output.tail, outputBytes: output.bytes })
    await this.endStep(index, result)
  }

  private async endStep(
    index: number,
    result: Exclude<ProvisionResult, { kind: 'interrupted' }>,
  ): Promise<void> {
    if (result.kind === 'failed') {
      this.setStep(index, { exitCode: result.exitCode })
      return this.fail(result.failure, index)
    }
    const status = this.record?.steps[index]
    const startedAt = result.times?.startedAt ?? Date.parse(status?.startedAt ?? '')
    const finishedAt = result.times?.finishedAt ?? this.context.clock.now().getTime()
    this.setStep(index, {
      phase: result.kind,
      startedAt: new Date(startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMilliseconds: Math.max(0, finishedAt - startedAt),
      exitCode: result.kind === 'succeeded' ? 0 : null,
    })
    if (result.kind === 'succeeded' && result.identity !== undefined) {
      await this.keep({ identity: result.identity })
      this.releaseBootSlot()
    } else await this.keep({})
    this.report('provisioning')
  }

  private async stop(machine: Machine): Promise<void> {
    const { host } = this.context
    const { id } = this.order
    this.releaseBootSlot()
    this.report('stopping')
    // Before it is asked: a machine found off must not look as if it had ended by itself.
    await this.keep({ power: 'stopped', identity: null })
    using limit = new Deadline(shutdownRequestSeconds * 1000, this.interrupt.signal)
    // Not every guest heeds the power button, and not every guest answers SSH.
    await Promise.allSettled([host.shutDown(id), this.openGuest(machine).guest.shutDown(limit.signal)])
    this.letGo()
    const deadline = this.context.clock.now().getTime() + shutdownSeconds * 1000
    while (this.context.clock.now().getTime() < deadline) {
      if ((await host.look(id)).power !== 'running') return
      await delay(shutdownPollMilliseconds, undefined, { signal: this.interrupt.signal })
    }
    this.context.log.warn({ environmentId: id }, `not shut down after ${shutdownSeconds} s: its power is cut`)
    await host.powerOff(id)
  }

  private async fail(failure: Failure, index = this.openStepIndex()): Promise<void> {
    const { order, context } = this
    context.log.warn({ environmentId: order.id, failure }, 'environment failed')
    this.record ??= newRecord(order.generation, order.plan)
    const status = this.record.steps[index]
    if (status !== undefined) {
      const now = context.clock.now()
      const startedAt = status.startedAt ?? now.toISOString()
      this.setStep(index, {
        phase: 'failed',
        startedAt,
        finishedAt: now.toISOString(),
        durationMilliseconds: Math.max(0, now.getTime() - Date.parse(startedAt)),
        error: failure.message,
      })
    }
    this.again = true
    await this.keep({ failure, failedGeneration: order.generation })
  }

  private openGuest(machine: Machine) {
    if (machine.address === null || machine.identity === null) {
      throw new Error('the machine’s folder does not say how to reach it')
    }
    const { environmentId, address, identity } = machine
    this.guest ??= this.context.openGuest({ environmentId, address, identity })
    return { guest: this.guest, given: identity }
  }

  private beginStep(name: StepName, repository: string | null = null): StepStatus {
    const index =
      this.record?.steps.findIndex((each) => each.name === name && each.repository === repository) ?? -1
    const status = this.record?.steps[index]
    if (status === undefined) throw new Error(`no step ${name} in the record`)
    if (status.phase === 'running') return status
    return this.setStep(index, { phase: 'running', startedAt: this.context.clock.now().toISOString() })
  }

  private finishStep(name: StepName): void {
    const index = this.record?.steps.findIndex((each) => each.name === name) ?? -1
    const status = this.record?.steps[index]
    if (status?.phase !== 'running') return
    const now = this.context.clock.now()
    this.setStep(index, {
      phase: 'succeeded',
      finishedAt: now.toISOString(),
      durationMilliseconds: Math.max(0, now.getTime() - Date.parse(status.startedAt ?? now.toISOString())),
    })
  }

  private setStep(index: number, change: Partial<StepStatus>): StepStatus {
    const record = this.record
    const status = record?.steps[index]
    if (record === null || status === undefined) throw new Error(`no step ${index} in the record`)
    const changed = { ...status, ...change }
    this.record = { ...record, steps: record.steps.with(index, changed) }
    if (status.finishedAt === null && changed.finishedAt !== null) this.context.stepEnded(changed)
    return changed
  }

  private async keep(change: Partial<EnvironmentRecord>): Promise<void> {
    if (this.record === null) this.record = newRecord(this.order.generation, this.order.plan)
    this.record = { ...this.record, ...change }
    await this.context.host.keepRecord(this.order.id, JSON.stringify(this.record))
  }

  private report(
    phase: Parameters<WorkContext['reporter']['report']>[0]['phase'],
    failure: Failure | null = null,
  ) {
    return this.context.reporter.report({
      id: this.order.id,
      generation: this.order.generation,
      phase,
      address: phase === 'deleted' ? null : this.address,
      identity: this.record?.identity ?? null,
      steps: this.record?.steps ?? [],
      failure,
    })
  }

  private async takeBootSlot(): Promise<void> {
    this.bootSlot ??= await this.context.bootSlots.take(this.interrupt.signal)
  }

  private releaseBootSlot(): void {
    this.bootSlot?.release()
    this.bootSlot = null
  }

  private letGo(): void {
    this.releaseBootSlot()
    this.guest?.close()
    this.guest = null
  }

  private openStepIndex(): number {
    const steps = this.record?.steps ?? []
    return steps.findIndex(({ phase }) => phase === 'running')
  }

  private openStepName(): StepName | undefined {
    return this.record?.steps[this.openStepIndex()]?.name
  }
}
