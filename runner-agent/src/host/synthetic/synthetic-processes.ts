import { GuestMisbehaved, GuestUnreachable, type Origin } from '../../guest/guest.ts'
import type { GuestProcesses, GuestRun, KnownRun, RunEvent } from '../../guest/process.ts'
import type { MachineStore } from './machine-store.ts'
import { ProcessLedger } from './process-ledger.ts'
import { type SimulatedRun, type Simulation, simulate } from './process-simulation.ts'
import type { SyntheticWorld } from './settings.ts'
import type { SimulatedWish } from './simulated-wishes.ts'

/** Interval at which a machine is looked at whose runs are waited for. */
const lookMilliseconds = 200

/** The tasks and services of a synthetic guest: they run nothing, and end when they would. */
export class SyntheticProcesses implements GuestProcesses {
  /** Runs that are being started, by process and number. */
  private readonly starting = new Map<string, Promise<void>>()

  constructor(
    private readonly environmentId: string,
    private readonly store: MachineStore,
    private readonly world: SyntheticWorld,
  ) {}

  async newestRun(processId: string, signal: AbortSignal): Promise<KnownRun | null> {
    const ledger = this.ledger(processId)
    await this.answering(ledger, signal)
    const newest = Math.max(0, ...(await ledger.numbers()))
    const run = await this.look(ledger, newest)
    return run === null ? null : this.known(run, this.simulate(run, await ledger.wishes()))
  }

  async *follow(run: GuestRun, offset: number, origin: Origin, signal: AbortSignal): AsyncIterable<RunEvent> {
    const ledger = this.ledger(run.processId)
    await this.answering(ledger, signal)
    await this.startOnce(ledger, run, origin, signal)
    let position = offset
    let isReady = false
    for (;;) {
      await this.answering(ledger, signal)
      const seen = (await this.look(ledger, run.number)) ?? lostOf(run)
      const simulation = this.simulate(seen, await ledger.wishes())
      const now = this.now()
      const isPast = ({ at }: { at: number }) => at <= now
      if (!isReady && simulation.readyAt !== null && simulation.readyAt <= now) {
        isReady = true
        yield { kind: 'ready', at: simulation.readyAt }
      }
      for (const output of simulation.outputs.filter(isPast)) {
        const chunk = Buffer.from(output.text).subarray(Math.max(0, position - output.offset))
        if (chunk.length === 0) continue
        yield { kind: 'output', offset: position, chunk }
        position += chunk.length
      }
      if (simulation.ending !== null && simulation.ending.finishedAt <= now) {
        yield { kind: 'ended', run: this.known(seen, simulation), outputBytes: position }
        return
      }
      const next = [
        ...simulation.outputs.map(({ at }) => at),
        simulation.readyAt,
        simulation.ending?.finishedAt,
      ]
        .filter((at): at is number => at != null && at > now)
        .map((at) => at - now)
      await this.wait(ledger, Math.min(lookMilliseconds, ...next), signal)
    }
  }

  async stop(processId: string, origin: Origin, signal: AbortSignal): Promise<void> {
    const ledger = this.ledger(processId)
    await this.answering(ledger, signal)
    await ledger.pass(origin)
    const run = await this.look(ledger, Math.max(0, ...(await ledger.numbers())))
    if (run !== null && !(await this.hasEnded(ledger, run)))
      await ledger.write({ ...run, stoppedAt: this.now() })
  }

  async tell(processId: string, wish: string, origin: Origin, signal: AbortSignal): Promise<void> {
    const ledger = this.ledger(processId)
    await this.answering(ledger, signal)
    await ledger.pass(origin)
    await ledger.addWish({ at: this.now(), wish })
  }

  async forget(processId: string, origin: Origin, signal: AbortSignal): Promise<void> {
    const ledger = this.ledger(processId)
    await this.answering(ledger, signal)
    await ledger.pass(origin)
    const numbers = await ledger.numbers()
    const run = await this.look(ledger, Math.max(0, ...numbers))
    if (run !== null && !(await this.hasEnded(ledger, run))) {
      throw new GuestMisbehaved(
        `the process ${processId} cannot be forgotten: its run ${run.number} has not ended`,
      )
    }
    for (const number of numbers) await ledger.remove(number)
    await ledger.forgetWishes()
    await ledger.removeFence()
  }

  private ledger(processId: string): ProcessLedger {
    return new ProcessLedger(this.store, this.environmentId, processId)
  }

  /** A run as it is now; one that its machine went down under is known as lost from then on. */
  private async look(ledger: ProcessLedger, number: number): Promise<SimulatedRun | null> {
    const run = await ledger.read(number)
    if (run === null || run.lostAt !== null || (await ledger.isInMemory(number))) return run
    const machine = await this.store.read(this.environmentId)
    const lost = { ...run, lostAt: Math.max(run.startedAt, machine?.wentDownAt ?? 0) }
    await ledger.write(lost)
    return lost
  }

  private async startOnce(
    ledger: ProcessLedger,
    run: GuestRun,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    const key = `${run.processId}-${run.number}`
    const begun = this.starting.get(key) ?? this.start(ledger, run, origin, signal)
    this.starting.set(key, begun)
    try {
      await begun
    } finally {
      this.starting.delete(key)
    }
  }

  private async start(
    ledger: ProcessLedger,
    run: GuestRun,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const numbers = await ledger.numbers()
      const newest = Math.max(0, ...numbers)
      if (newest >= run.number) return
      const before = await this.look(ledger, newest)
      if (before === null || (await this.hasEnded(ledger, before))) {
        await ledger.pass(origin)
        for (const number of numbers) if (number < newest) await ledger.remove(number)
        return ledger.begin(begunNow(run, this.now()))
      }
      await this.wait(ledger, lookMilliseconds, signal)
    }
  }

  private simulate(run: SimulatedRun, wishes: readonly SimulatedWish[]): Simulation {
    return simulate(run, this.world.settings.stepMilliseconds, wishes)
  }

  private async hasEnded(ledger: ProcessLedger, run: SimulatedRun): Promise<boolean> {
    const { ending } = this.simulate(run, await ledger.wishes())
    return ending !== null && ending.finishedAt <= this.now()
  }

  private known({ number, request, restarts, startedAt }: SimulatedRun, simulation: Simulation): KnownRun {
    const isPast = (at: number | null | undefined) => at != null && at <= this.now()
    return {
      number,
      request,
      restarts,
      startedAt,
      readyAt: isPast(simulation.readyAt) ? simulation.readyAt : null,
      ending: isPast(simulation.ending?.finishedAt) ? simulation.ending : null,
    }
  }

  private now(): number {
    return this.world.clock.now().getTime()
  }

  private async answering(ledger: ProcessLedger, signal: AbortSignal): Promise<void> {
    for (;;) {
      const machine = await this.store.read(this.environmentId)
      const left = machine?.power === 'running' ? machine.answersAt - this.now() : Number.POSITIVE_INFINITY
      if (left <= 0 && !signal.aborted) return
      await this.wait(ledger, Math.min(left, lookMilliseconds), signal)
    }
  }

  private async wait(ledger: ProcessLedger, milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await ledger.change(milliseconds, signal)
    } catch {
      throw new GuestUnreachable('it did not answer', { cause: signal.reason })
    }
  }
}

function begunNow(run: GuestRun, startedAt: number): SimulatedRun {
  const { number, request, restarts, command, limitSeconds, stopSignal, readiness } = run
  return {
    ...{ number, request, restarts, command, limitSeconds, stopSignal, readiness },
    ...{ startedAt, stoppedAt: null, lostAt: null },
  }
}

/** A run of which nothing is kept any more, since there are newer ones. */
const lostOf = (run: GuestRun): SimulatedRun => ({
  ...begunNow(run, 0),
  command: 'sleep infinity',
  lostAt: 0,
})
