import type { Failure } from '@hearth/contract'

/** A failure that the host would not keep, since its disk is full: without being told, nobody would learn of it. */
export class UnkeptFailure {
  private told = false

  constructor(
    /** What would have been kept. */
    readonly record: object,
    readonly failure: Failure,
    /** When the first of those that followed each other was refused, in milliseconds. */
    readonly since: number,
  ) {}

  /** Whether it stands: until a newer order comes, what would be done is nobody's wish any more. */
  get isTold(): boolean {
    return this.told
  }

  /** True once, when it has been refused for so long. */
  isToBeTold(now: number, patienceMilliseconds: number): boolean {
    if (this.told || now - this.since < patienceMilliseconds) return false
    this.told = true
    return true
  }
}
