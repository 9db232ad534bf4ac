import type { Failure } from '@hearth/contract'

/**
 * A failure that the host could not store because its disk is full: unless it is reported anyway, nobody learns of
 * it.
 */
export class UnkeptFailure {
  private told = false

  constructor(
    /** The record that could not be stored. */
    readonly record: object,
    readonly failure: Failure,
    /** When the first of the consecutive attempts to store it was refused, in monotonic milliseconds. */
    readonly since: number,
  ) {}

  /** Whether the failure was reported: then no further step is taken until a newer order comes. */
  get isTold(): boolean {
    return this.told
  }

  /** Returns true once, when storing was refused for longer than the given time. */
  isToBeTold(now: number, patienceMilliseconds: number): boolean {
    if (this.told || now - this.since < patienceMilliseconds) return false
    this.told = true
    return true
  }
}
