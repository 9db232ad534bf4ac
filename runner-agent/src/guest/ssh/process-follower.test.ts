import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalGuest } from './process.fixture.ts'

let guest: LocalGuest
beforeEach(async () => {
  guest = await LocalGuest.make()
})
afterEach(() => guest.remove())

/** Long enough to be printed by programs that the shells start. */
const command = 'echo first; sleep 0.6; echo second; sleep 1; echo last; exit 3'

test('a follower that bash has made deaf to the end of its own programs tells the end of a run', async () => {
  guest.losesChildren = true
  const run = guest.runOf(command)
  const first = guest.follow(run)
  await first.begun
  const second = guest.follow(run)
  for (const { output, ended } of await Promise.all([first.ended, second.ended])) {
    expect(output.toString()).toBe('first\nsecond\nlast\n')
    expect(ended?.run.ending).toMatchObject({ cause: 'exit', exitCode: 3 })
    expect(Date.now() - (ended?.run.ending?.finishedAt ?? 0)).toBeLessThan(10_000)
  }
})
