import { setTimeout as delay } from 'node:timers/promises'
import type { Kill, Start, ToChild } from '../children/messages.ts'
import type { Program } from './bundle.ts'
import { Child } from './child.ts'

/** Exit code of an agent that was replaced: restarting it would take the runner back. */
const supersededExitCode = 3
const restartMilliseconds = 50

/** A program that is started again whenever it dies, as an init system does. */
export class Supervised {
  private child: Child
  private stopped = false
  /** How the next processes die; after those, a process lives. */
  private readonly kills: Kill[] = []
  superseded = false
  deaths = 0

  constructor(
    private readonly program: Program,
    private readonly start: Omit<Start, 'type' | 'kill'>,
    private readonly logFile: string,
    private readonly onBroken: () => void,
  ) {
    this.child = this.begin()
  }

  get port(): number | null {
    return this.child.port
  }

  get isAlive(): boolean {
    return !this.child.isOver
  }

  /** Kills this process, and each one after it at a write of its own, until the list is used up. */
  killAt(kills: readonly Kill[]): void {
    this.kills.push(...kills)
    this.child.kill()
  }

  kill(): void {
    this.child.kill()
  }

  pause(): void {
    this.child.pause()
  }

  resume(): void {
    this.child.resume()
  }

  send(message: ToChild): void {
    if (message.type === 'clock') this.start.clockOffsetMilliseconds = message.offsetMilliseconds
    if (message.type === 'disk') this.start.diskFull = message.full
    this.child.send(message)
  }

  /** Cancels pending kills. */
  spare(): void {
    this.kills.length = 0
  }

  /** Ends the program for good. */
  async end(): Promise<void> {
    this.stopped = true
    this.child.kill()
    await this.child.ended
  }

  private begin(): Child {
    const kill = this.kills.shift() ?? null
    const child = new Child(
      this.program,
      () => ({ type: 'start', ...this.start, kill }),
      this.logFile,
      this.onBroken,
    )
    void this.follow(child)
    return child
  }

  private async follow(child: Child): Promise<void> {
    const code = await child.ended
    if (this.stopped) return
    this.deaths += 1
    if (code === supersededExitCode) {
      this.superseded = true
      return
    }
    await delay(restartMilliseconds)
    if (!this.stopped) this.child = this.begin()
  }
}
