import { vi } from 'vitest'
import { LocalCommandRunner } from '../command/local.ts'

class Cut extends Error {}

/** The change with the given number and all later ones have no effect. */
function cutAfter(allowed: number): void {
  let changes = 0
  for (const name of ['writeFile', 'writePart', 'rename', 'remove'] as const) {
    const original = LocalCommandRunner.prototype[name] as (...given: unknown[]) => Promise<void>
    vi.spyOn(LocalCommandRunner.prototype, name).mockImplementation(async function (
      this: LocalCommandRunner,
      ...given: unknown[]
    ) {
      if (changes >= allowed) throw new Cut()
      changes += 1
      await original.apply(this, given)
    })
  }
}

/** Does the work, in which a number of changes of files has effect. Resolves with whether that was enough. */
export async function runCutAfter(allowed: number, work: () => Promise<unknown>): Promise<boolean> {
  cutAfter(allowed)
  try {
    await work()
    return true
  } catch (thrown) {
    if (thrown instanceof Cut) return false
    throw thrown
  } finally {
    vi.restoreAllMocks()
  }
}
