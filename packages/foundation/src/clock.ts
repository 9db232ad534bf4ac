/** The one source of time, so that tests can move it and no domain file reads the machine's own clock. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is moved. */
export class FixedClock implements Clock {
  constructor(private time: Date) {}

  now(): Date {
    return new Date(this.time)
  }

  advance(milliseconds: number): void {
    this.time = new Date(this.time.getTime() + milliseconds)
  }
}

/** A time for use in sentences: to the second, in UTC. */
export function spokenTime(time: Date | string): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
