import { setTimeout as delay } from 'node:timers/promises'
import {
  type EnvironmentOrder,
  type Failure,
  type ReportedPhase,
  stepDeadlineSeconds,
} from '@hearth/contract'
import { assertNever, backoff, toError } from '@hearth/foundation'
import { StaleInGuest } from '../../guest/guest.ts'
import { type Authority, isNewer, StaleAuthority } from '../../host/authority.ts'
import type { Machine } from '../../host/machine.ts'
import { LeaseNotHeld } from '../../lease/lease.ts'
import { Holdings } from './holdings.ts'
import { MachineEnded } from './machine-ended.ts'
import { type NextStep, nextStep, phaseDuring } from './next-step.ts'
import { checkServer, provision } from './provision.ts'
import { isLastOpen, isProvisioned, parseRecord } from './record.ts'
import { RecordKeeper } from './record-keeper.ts'
import { runScripts, scriptRun } from './script-run.ts'
import { secretAutomaton } from './secret-mask.ts'
import { maskedValues, openSecrets } from './secrets.ts'
import { shutDown } from './shut-down.ts'
import { machineSpecification } from './specification.ts'
import { thrownFailure } from './step-failure.ts'
import { openStepLog } from './step-log.ts'
import { lastLines, noteAsOutput } from './step-output.ts'
import { UnkeptFailure } from './unkept-failure.ts'
import type { WorkContext } from './work-context.ts'

/** Brings one environment to what its newest order says: look, take one step, look again. */
export class EnvironmentWorker {
  private readonly keeper: RecordKeeper
  private running: Promise<void> | null = null
  private again = false
  private retired = false
  private interrupt = new AbortController()
  private readonly holdings: Holdings
  private address: Machine['address'] = null
  private unkept: UnkeptFailure | null = null
  private sent: { phase: ReportedPhase; failure: Failure | null } | null = null

  constructor(
    private order: EnvironmentOrder,
    private readonly context: WorkContext,
    /** Nothing is done before it has settled. */
    private readonly before: Promise<unknown>,
    /** Told when the environment is deleted and that is stored. */
    private readonly forget: () => void,
  ) {
    const { clock, host, stepEnded } = context
    this.holdings = new Holdings(context)
    this.keeper = new RecordKeeper({
      clock,
      stepEnded,
      write: (text) => host.keepRecord(order.id, text, this.authority),
    })
  }

  get currentOrder(): EnvironmentOrder {
    return this.order
  }

  /** Gives a newer order, or the same again, which changes nothing. */
  take(order: EnvironmentOrder): void {
    const changed =
      order.generation !== this.order.generation || order.desiredPhase !== this.order.desiredPhase
    this.order = order
    if (!changed) return
    this.unkept = null
    this.interrupt.abort(new Error('a newer order came'))
    this.wake()
  }

  /** Its guest was paused or goes on: told at once, also while a step waits for it. */
  pauseChanged(): void {
    if (this.sent !== null && !this.isOver) void this.send(this.sent.phase, this.sent.failure)
    this.wake()
  }

  /** Lets a paused machine go on, as long as it is to run. */
  async resume(): Promise<void> {
    if (this.order.desiredPhase !== 'running' || this.isOver) return
    await this.context.host.resume(this.order.id, this.authority)
  }

  /** Looks again; when its machine does not run any more, whatever waits for its guest is given up. */
  powerChanged(): void {
    this.wake()
    void this.endWaitOfEndedMachine()
  }

  /** Looks again, now or as soon as the step being taken is over. */
  wake(): void {
    this.again = true
    if (this.running !== null || this.isOver) return
    this.running = this.loop().finally(() => {
      this.running = null
      if (this.again && !this.isOver) this.wake()
    })
  }

  /** Resolves when no step is being taken any more, and none will be; guests and their steps go on. */
  async settle(): Promise<void> {
    this.retired = true
    this.interrupt.abort(new Error('nothing more is to be done'))
    await this.running
    this.holdings.letGo()
  }

  private get isOver(): boolean {
    return this.retired || this.context.stopping.aborted
  }

  private async endWaitOfEndedMachine(): Promise<void> {
    const { interrupt } = this
    if (!this.holdings.hasGuest) return
    // One that cannot be looked at now is looked at again when the watch says so, or at the step's deadline.
    const machine = await this.context.host.look(this.order.id).catch(() => null)
    if (machine === null || machine.power === 'running' || machine.power === 'paused') return
    interrupt.abort(new MachineEnded())
  }

  private async loop(): Promise<void> {
    await this.before
    for (let failures = 0; this.again && !this.isOver; ) {
      this.again = false
      this.interrupt = new AbortController()
      try {
        await this.lookAndStep()
        failures = 0
        this.unkept = null
      } catch (thrown) {
        this.again = true
        if (thrown instanceof LeaseNotHeld) continue
        const error = toError(thrown)
        this.context.log.error({ environmentId: this.order.id, error }, 'the host cannot be worked with')
        this.tellUnkept()
        const wait = backoff(failures, { first: 500, most: this.context.retryMostMilliseconds })
        failures += 1
        await delay(wait, undefined, { signal: this.context.stopping }).catch(() => undefined)
      }
    }
  }

  private async lookAndStep(): Promise<void> {
    const { host, lease, log, stopping } = this.context
    await lease.untilHeld(stopping)
    if (this.isOver) return
    const machine = await host.look(this.order.id)
    const nothing = machine.power === 'absent' && machine.record === null
    this.keeper.replace(nothing ? null : (parseRecord(machine.record) ?? this.keeper.record))
    this.address = machine.address
    if (this.unkept?.isTold === true && this.order.desiredPhase !== 'deleted')
      return this.keepTold(this.unkept)
    const step = nextStep(this.order, { machine, record: this.keeper.record })
    log.debug({ environmentId: this.order.id, power: machine.power, step: step.kind }, 'next step')
    try {
      await this.takeStep(step, machine)
    } catch (thrown) {
      if (thrown instanceof LeaseNotHeld) throw thrown
      // Root in a guest may say what it likes: the machine's own mark, which the guest cannot reach, is looked at.
      if (thrown instanceof StaleInGuest) return this.doubtGuest(thrown)
      if (thrown instanceof StaleAuthority) {
        if (thrown.shown.epoch > lease.epoch) lease.lose(`of the machine ${this.order.id}, ${thrown.message}`)
        throw thrown
      }
      if (this.interrupt.signal.aborted || this.isOver) this.again = true
      else {
        const index = this.keeper.runningIndex
        await this.fail(thrownFailure(thrown, this.keeper.record?.steps[index]?.name), index)
      }
    }
  }

  private async takeStep(step: NextStep, machine: Machine): Promise<void> {
    const { host, log } = this.context
    const { id } = this.order
    this.again = step.kind !== 'rest' && step.kind !== 'refuse' ? true : this.again
    switch (step.kind) {
      case 'rest':
        return this.rest(step)
      case 'refuse':
        log.warn({ environmentId: id, reason: step.reason }, 'order refused')
        if (step.superseded) this.context.lease.lose(step.reason)
        return
      case 'fail':
        return this.fail(step.failure, this.keeper.runningIndex)
      case 'create':
        return this.create()
      case 'start':
        return this.start(machine)
      case 'check_guest':
        return this.checkGuest(machine)
      case 'provision':
        return this.provision(step.index, machine)
      case 'stamp':
        return host.stamp(id, this.authority)
      case 'stop':
        return this.stop(machine)
      case 'remove':
      case 'start_over':
        this.holdings.letGo()
        this.report(phaseDuring(step, this.keeper.record))
        await host.remove(id, this.authority)
        this.keeper.replace(null)
        return
      case 'recover':
        return this.keeper.keep({ failure: null, failedGeneration: 0, power: 'stopped' })
      default:
        return assertNever(step)
    }
  }

  private async doubtGuest(thrown: StaleInGuest): Promise<void> {
    this.again = true
    const { ownership } = await this.context.host.look(this.order.id)
    // The next look refuses the order.
    if (ownership !== null && isNewer(ownership, this.authority)) return
    const message = `the guest refused an order: ${thrown.message}; the machine itself shows nothing newer`
    await this.fail({ code: 'guest_misbehaved', message }, this.keeper.runningIndex)
  }

  private async rest(step: Extract<NextStep, { kind: 'rest' }>): Promise<void> {
    this.holdings.letGo()
    const { generation } = this.order
    const stored = this.send(step.phase, step.failure)
    if (step.phase !== 'deleted') return
    await stored
    if (!this.again && this.order.generation === generation && !this.isOver) this.forget()
  }

  private async create(): Promise<void> {
    const { order, context } = this
    await this.holdings.takeBootSlot(this.interrupt.signal)
    this.keeper.open(order.generation, order.plan)
    this.keeper.beginStep(this.keeper.indexOf('create_vm'))
    this.report('provisioning')
    await context.host.create(machineSpecification(order), this.authority)
    await this.keeper.keep({ power: 'stopped' })
  }

  private async start({ hostBootId }: Machine): Promise<void> {
    await this.holdings.takeBootSlot(this.interrupt.signal)
    const record = this.keeper.open(this.order.generation, this.order.plan)
    if (isProvisioned(record)) this.report('starting')
    await this.context.host.start(this.order.id, this.authority)
    const index = this.keeper.indexOf('create_vm')
    if (record.steps[index]?.phase === 'running') {
      this.keeper.endStep(index, { phase: 'succeeded', exitCode: null, error: null })
    }
    await this.keeper.keep({ power: 'running', hostBootId, identity: null })
  }

  private async checkGuest(machine: Machine): Promise<void> {
    await this.holdings.takeBootSlot(this.interrupt.signal)
    this.report('starting')
    const seconds = this.context.deadlines.ensure_server ?? stepDeadlineSeconds.ensure_server
    const server = { ...this.holdings.openGuest(machine), clock: this.context.clock }
    const result = await checkServer(server, seconds, this.interrupt.signal)
    if (result.kind === 'failed') return this.fail(result.failure, -1)
    if (result.kind === 'succeeded') await this.keeper.keep({ identity: result.identity ?? null })
  }

  private async provision(index: number, machine: Machine): Promise<void> {
    const { steps } = this.keeper.open(this.order.generation, this.order.plan)
    const name = steps[index]?.name
    if (name === undefined || name === 'create_vm') throw new Error('create_vm is the host’s step')
    if (name === 'ensure_server') await this.holdings.takeBootSlot(this.interrupt.signal)
    else this.holdings.releaseBootSlot()
    return name === 'ensure_server' || name === 'set_env_vars'
      ? this.provisionGuest(index, name, machine)
      : this.runScripts(scriptRun(steps, index), machine)
  }

  private async provisionGuest(
    index: number,
    name: 'ensure_server' | 'set_env_vars',
    machine: Machine,
  ): Promise<void> {
    const { order, context, keeper } = this
    const status = keeper.beginStep(index)
    await keeper.keep()
    this.report('provisioning')
    const result = await provision(
      { ...status, name },
      {
        ...this.holdings.openGuest(machine),
        order,
        authority: this.authority,
        secrets: openSecrets(order, context.sealingKey),
        deadlines: context.deadlines,
        clock: context.clock,
        interrupted: this.interrupt.signal,
        isLast: isLastOpen(this.keeper.record, index),
        readConsole: async () => lastLines(await context.host.readConsole(order.id)),
      },
    )
    if (result.kind === 'interrupted') return
    if (result.kind === 'failed') return this.fail(result.failure, index, result.exitCode)
    if (result.note) keeper.setStep(index, noteAsOutput(result.note))
    keeper.endStep(index, { phase: 'succeeded', exitCode: 0, error: null })
    await keeper.keep(result.identity === undefined ? {} : { identity: result.identity })
    if (result.identity !== undefined) this.holdings.releaseBootSlot()
    this.report('provisioning')
  }

  private async runScripts(indexes: readonly number[], machine: Machine): Promise<void> {
    const { order, context, keeper } = this
    const secrets = openSecrets(order, context.sealingKey)
    const masked = await secretAutomaton(maskedValues(order, secrets))
    const result = await runScripts(indexes, {
      guest: this.holdings.openGuest(machine).guest,
      order,
      authority: this.authority,
      generation: keeper.open(order.generation, order.plan).generation,
      secrets,
      keeper,
      deadlines: context.deadlines,
      clock: context.clock,
      interrupted: this.interrupt.signal,
      openLog: (index, status) =>
        openStepLog(order, status, masked, context, (progress) => {
          keeper.setStep(index, progress)
          this.report('provisioning')
        }),
      report: () => this.report('provisioning'),
    })
    if (result.kind === 'failed') await this.fail(result.failure, result.index, result.exitCode)
  }

  private async stop(machine: Machine): Promise<void> {
    const { host, clock, log } = this.context
    const { id, generation, plan } = this.order
    this.holdings.releaseBootSlot()
    this.report('stopping')
    // Before it is asked: a machine found off must not look as if it had ended by itself.
    this.keeper.open(generation, plan)
    await this.keeper.keep({ power: 'stopped', identity: null })
    await shutDown({
      environmentId: id,
      authority: this.authority,
      host,
      clock,
      log,
      guest: this.holdings.openGuest(machine).guest,
      asked: () => this.holdings.letGo(),
      interrupted: this.interrupt.signal,
    })
  }

  private async fail(failure: Failure, index: number, exitCode: number | null = null): Promise<void> {
    this.context.log.warn({ environmentId: this.order.id, failure }, 'environment failed')
    const before = this.keeper.open(this.order.generation, this.order.plan)
    this.again = true
    try {
      await this.keeper.fail(failure, this.order.generation, index, exitCode)
    } catch (thrown) {
      const { record } = this.keeper
      this.keeper.replace(before)
      if (thrown instanceof LeaseNotHeld || thrown instanceof StaleAuthority || record === null) throw thrown
      this.unkept = new UnkeptFailure(record, failure, this.unkept?.since ?? this.context.now())
      throw thrown
    }
  }

  private tellUnkept(): void {
    const { unkept, context } = this
    if (unkept?.isToBeTold(context.now(), context.unkeptFailureMilliseconds) !== true) return
    this.keeper.replace(unkept.record)
    void this.send('failed', unkept.failure)
  }

  private async keepTold({ record }: UnkeptFailure): Promise<void> {
    this.again = true
    this.keeper.replace(record)
    await this.keeper.keep()
  }

  private get authority(): Authority {
    return this.context.lease.authority(this.order.generation)
  }

  private readonly report = (phase: ReportedPhase): void => void this.send(phase, null)

  private send(phase: ReportedPhase, failure: Failure | null): Promise<void> {
    const { record } = this.keeper
    this.sent = { phase, failure }
    return this.context.reporter.report({
      id: this.order.id,
      generation: this.order.generation,
      phase,
      address: phase === 'deleted' ? null : this.address,
      identity: record?.identity ?? null,
      paused: this.context.pauses.of(this.order.id),
      steps: record?.steps ?? [],
      failure,
    })
  }
}
