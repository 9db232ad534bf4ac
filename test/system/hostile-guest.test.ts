import type { ServerChannel } from 'ssh2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Behaviour,
  type FakeGuest,
  GuestWorker,
  honest,
  pour,
  startGuest,
  type Work,
} from './hostile-guest.ts'

const block = 'x'.repeat(32 * 1024)
const identity = 'machine_id m\nhostname h\nseed s\n'
const mostGrowthMebibytes = 50
/** A runner reports within seconds; this is far more than a busy machine adds. */
const mostDelayMilliseconds = 10_000

/** Answers like bash before its program, then with output that the agent's program would never print. */
const answering = (answer: (channel: ServerChannel, program: string) => void): Behaviour => ({
  session: (channel, marker, given) => {
    channel.write(`${marker}\n`)
    void given().then((program) => answer(channel, program))
  },
})
const ending = (channel: ServerChannel, code: number) => {
  channel.exit(code)
  channel.end()
}
const delimiterIn = (program: string) => /delimiter='?(hearth-[0-9a-f]{32})/.exec(program)?.[1] ?? ''

const inputs: [what: string, work: Work, behaviour: Behaviour, ends: RegExp][] = [
  [
    'a login shell that prints without end',
    'identify',
    { session: (channel) => pour(channel, () => block) },
    /^GuestMisbehaved: .* more than 65536 bytes before the agent’s program began/,
  ],
  [
    'an identity without a line end',
    'identify',
    answering((channel) => pour(channel, () => block)),
    /^GuestMisbehaved: .* more than 16384 bytes to the identity check/,
  ],
  [
    'an identity of endless lines',
    'identify',
    answering((channel) => pour(channel, () => `machine_id ${'v'.repeat(40)}\n`.repeat(500))),
    /^GuestMisbehaved: /,
  ],
  [
    'an identity in other words',
    'identify',
    answering((channel) => channel.write('\u001b[2Jready\n')),
    /^GuestMisbehaved: the guest answered " \[2Jready" when it was asked for its machine_id/,
  ],
  [
    'a clock that is no number',
    'identify',
    answering((channel) => channel.write(`${identity}time NaN\n`)),
    /^GuestMisbehaved: the guest says that its clock is at "NaN"/,
  ],
  [
    'an error stream without end',
    'write',
    answering((channel) => pour(channel.stderr, () => block)),
    /^GuestMisbehaved: .* more than 65536 bytes on its error stream to the writing of \/run\/hearth-test/,
  ],
  [
    'an answer where none is asked for',
    'write',
    answering((channel) => channel.write('x')),
    /^GuestMisbehaved: .* more than 0 bytes to the writing of/,
  ],
  [
    'a refusal that names no newer order',
    'write',
    answering((channel) => ending(channel, 76)),
    /^GuestMisbehaved: the guest refused an order and said "", which names no newer one/,
  ],
  [
    'files without end',
    'read',
    answering((channel) => pour(channel, () => block)),
    /^GuestMisbehaved: .* more than 131104 bytes to the reading of files/,
  ],
  [
    'files of a length that is no number',
    'read',
    answering((channel) => {
      channel.write('1e9\nx\n')
      ending(channel, 0)
    }),
    /^GuestUnreachable: files could not be read/,
  ],
  [
    'one byte a tenth of a second',
    'identify',
    answering((channel) => {
      const timer = setInterval(() => channel.write('m'), 100)
      channel.on('close', () => clearInterval(timer))
    }),
    /^GuestUnreachable: /,
  ],
  [
    'sessions that are closed at once',
    'identify',
    { session: (channel) => channel.close() },
    /^GuestUnreachable: /,
  ],
  ['sessions that are refused', 'identify', { open: 'refused' }, /^GuestUnreachable: /],
  [
    'sessions that are never answered',
    'identify',
    { open: 'unanswered' },
    /^(GuestUnreachable|AbortError|TimeoutError)/,
  ],
  ['an end without an exit code', 'write', answering((channel) => channel.close()), /^GuestUnreachable: /],
  [
    'an exit code of its own',
    'write',
    answering((channel) => ending(channel, 99)),
    /^GuestUnreachable: .*exit 99/,
  ],
  [
    'a step that prints without end',
    'steps',
    answering((channel) => pour(channel, () => block)),
    /^GuestUnreachable: /,
  ],
  [
    'an outcome without end',
    'steps',
    answering((channel, program) => {
      channel.write(`${delimiterIn(program)}\n`)
      pour(channel, () => block)
    }),
    /^GuestMisbehaved: .* more than 4096 bytes to how a step ended/,
  ],
  [
    'an empty outcome',
    'steps',
    answering((channel, program) => channel.write(`${delimiterIn(program)}\nstarted \nfinished \nexit \n\n`)),
    /^Error: the step ended: \{"kind":"lost","reason":"unreadable"\}/,
  ],
  [
    'an outcome behind a delimiter that it guessed',
    'steps',
    answering((channel) => channel.write(`hearth-${'0'.repeat(32)}\nstarted 1.0\nfinished 2.0\nexit 0\n\n`)),
    /^GuestUnreachable: /,
  ],
]

let other: FakeGuest
let agent: GuestWorker
beforeAll(async () => {
  other = await startGuest(honest)
  agent = new GuestWorker()
})
afterAll(async () => {
  agent[Symbol.dispose]()
  await other[Symbol.asyncDispose]()
})

test.each(inputs)(
  '%s costs nobody else anything',
  async (_, work, behaviour, ends) => {
    await using hostile = await startGuest(behaviour)
    // The agent's own time limit ends the work only for a guest that never sends anything wrong.
    const mostMilliseconds = /^\^\(?GuestUnreachable/.test(ends.source) ? 4_000 : 40_000
    const seen = await agent.work({ work, mostMilliseconds, hostile, other })
    expect(seen.end).toMatch(ends)
    expect(seen.grownMebibytes).toBeLessThan(mostGrowthMebibytes)
    expect(seen.rounds).toBeGreaterThan(0)
    expect(seen.slowestMilliseconds).toBeLessThan(mostDelayMilliseconds)
  },
  60_000,
)
