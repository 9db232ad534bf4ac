import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { type Origin, StaleInGuest } from '../../guest/guest.ts'
import { isNewer } from '../authority.ts'
import { guestFileName } from './guest-files.ts'
import type { MachineStore } from './machine-store.ts'
import { type SimulatedRun, simulatedRunSchema } from './process-simulation.ts'
import { type SimulatedWish, simulatedWishesSchema } from './simulated-wishes.ts'

const fenceSchema = z.object({ epoch: z.number(), generation: z.number() })

/** Wishes whose times are kept. */
const mostWishes = 256

/** Those who wait for a change of a run, by the store that is changed. */
const waiting = new WeakMap<MachineStore, Set<() => void>>()

/** The runs of one process of a synthetic guest, as files of its machine. */
export class ProcessLedger {
  constructor(
    private readonly store: MachineStore,
    private readonly environmentId: string,
    private readonly processId: string,
  ) {}

  async numbers(): Promise<number[]> {
    const name = new RegExp(`^process-${this.processId}-(\\d+)\\.json$`)
    const names = await this.store.guestFileNames(this.environmentId)
    return names.flatMap((each) => name.exec(each)?.[1] ?? []).map(Number)
  }

  async read(number: number): Promise<SimulatedRun | null> {
    const text = await this.store.readText(this.environmentId, this.fileOf(number))
    return text === null ? null : simulatedRunSchema.parse(JSON.parse(text))
  }

  async write(run: SimulatedRun): Promise<void> {
    await this.store.writeText(this.environmentId, this.fileOf(run.number), JSON.stringify(run))
    for (const wake of waiting.get(this.store) ?? []) wake()
  }

  /** Begins a run, which the guest has in its memory from then on. */
  async begin(run: SimulatedRun): Promise<void> {
    await this.store.writeText(this.environmentId, this.inMemory(run.number), '')
    await this.write(run)
  }

  /** Whether the machine has been running since the run began. */
  async isInMemory(number: number): Promise<boolean> {
    return (await this.store.readText(this.environmentId, this.inMemory(number))) !== null
  }

  async remove(number: number): Promise<void> {
    await this.store.removeFile(this.environmentId, this.fileOf(number))
    await this.store.removeFile(this.environmentId, this.inMemory(number))
  }

  /** What was wished of the process since its machine is on, the newest last. */
  async wishes(): Promise<SimulatedWish[]> {
    const text = await this.store.readText(this.environmentId, this.wishFile)
    return text === null ? [] : simulatedWishesSchema.parse(JSON.parse(text))
  }

  /** One that is as the last changes nothing, as a file that is written anew with what it has. */
  async addWish(wish: SimulatedWish): Promise<void> {
    const before = await this.wishes()
    if (before.at(-1)?.wish === wish.wish) return
    const wishes = [...before, wish].slice(-mostWishes)
    await this.store.writeText(this.environmentId, this.wishFile, JSON.stringify(wishes))
    for (const wake of waiting.get(this.store) ?? []) wake()
  }

  async forgetWishes(): Promise<void> {
    await this.store.removeFile(this.environmentId, this.wishFile)
  }

  /** Accepts the origin and stores its epoch and generation, unless newer ones were seen for this process. */
  async pass({ epoch, generation }: Origin): Promise<void> {
    const kept = await this.store.readText(this.environmentId, this.fenceFile)
    const seen = kept === null ? null : fenceSchema.parse(JSON.parse(kept))
    if (seen !== null && isNewer(seen, { epoch, generation }))
      throw new StaleInGuest(seen, { epoch, generation })
    await this.store.writeText(this.environmentId, this.fenceFile, JSON.stringify({ epoch, generation }))
  }

  removeFence(): Promise<void> {
    return this.store.removeFile(this.environmentId, this.fenceFile)
  }

  /** Waits until a run has changed, or for so long. Rejects when the signal aborts. */
  async change(milliseconds: number, signal: AbortSignal): Promise<void> {
    const wakers = waiting.get(this.store) ?? new Set()
    waiting.set(this.store, wakers)
    const woken = new AbortController()
    const wake = () => woken.abort()
    wakers.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    try {
      await delay(milliseconds, undefined, { signal: woken.signal }).catch(() => undefined)
    } finally {
      wakers.delete(wake)
      signal.removeEventListener('abort', wake)
    }
    signal.throwIfAborted()
  }

  private get wishFile() {
    return guestFileName(`/run/hearth/processes/${this.processId}/wish`)
  }

  private get fenceFile() {
    return `process-${this.processId}-fence.json`
  }

  private fileOf(number: number): string {
    return `process-${this.processId}-${number}.json`
  }

  private inMemory(number: number): string {
    return guestFileName(`/run/hearth/processes/${this.processId}/${number}`)
  }
}
