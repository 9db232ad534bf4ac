import type { Kill } from './messages.ts'

/** Counts the writes of this process, and kills it with SIGKILL at the write it was told. */
export class KillSwitch {
  private passed = 0

  constructor(private readonly kill: Kill | null) {}

  /** Executes the write, or dies before, during or after it. */
  async write<Result>(work: () => Promise<Result>): Promise<Result> {
    this.passed += 1
    const moment = this.passed === this.kill?.at ? this.kill.moment : null
    if (moment === 'before') die()
    const result = work()
    if (moment === 'during') die()
    const done = await result
    if (moment === 'after') die()
    return done
  }

  /** The same object, with the given methods counted as writes. */
  around<Target extends object>(target: Target, names: readonly (keyof Target & string)[]): Target {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        const call = (...given: unknown[]): unknown => Reflect.apply(value, object, given)
        if (!(names as readonly (string | symbol)[]).includes(name)) return call
        return (...given: unknown[]) => this.write(async () => call(...given))
      },
    })
  }

  /** The same items, each counted as a write. */
  async *items<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
    for await (const item of source) yield await this.write(() => Promise.resolve(item))
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
