import { toError } from '@hearth/foundation'
import { digestRandomSeed } from '../../host/random-seed.ts'
import { type GuestEvidence, type GuestMachine, GuestMisbehaved } from '../guest.ts'
import { mostClockOffsetMilliseconds } from '../identity.ts'
import { clockOffset } from './clock-offset.ts'
import { identityFields, identityScript } from './identity-script.ts'
import { shown } from './shown.ts'
import type { WaitingShells } from './waiting-shell.ts'

const measurements = 5
const mostBytes = 16 * 1024

/** Reads the guest's identity over a connection whose host key was already verified. */
export async function identify(
  shells: WaitingShells,
  machine: GuestMachine,
  clock: { now(): Date },
  signal: AbortSignal,
): Promise<GuestEvidence> {
  const lines = new Lines()
  const execution = await shells.execute(identityScript, {
    purpose: 'the identity check',
    mostBytes,
    onStdout: (chunk) => lines.add(chunk),
    signal,
  })
  const ended = execution.exitCode.then(
    () => lines.end(new Error('the identity check ended early')),
    (thrown: unknown) => lines.end(toError(thrown)),
  )
  const said: string[] = []
  for (const name of identityFields) said.push(valueIn(name, await lines.next()))
  const offset = await measureClock((text) => execution.write(text), lines, clock)
  execution.write('end\n')
  await ended
  const [machineId = '', hostname = '', seed = ''] = said
  return {
    machineId: shown(machineId),
    hostname: shown(hostname),
    hostKeyMatches: true,
    randomSeedFresh: digestRandomSeed(seed) === machine.identity.randomSeedDigest,
    clockOffsetMilliseconds: offset,
  }
}

function valueIn(name: string, line: string): string {
  if (line.startsWith(`${name} `)) return line.slice(name.length + 1)
  throw new GuestMisbehaved(`the guest answered "${shown(line)}" when it was asked for its ${name}`)
}

/** Sets the guest's clock when it is wrong and measures it again, as it does where an answer was too slow to say much. */
async function measureClock(
  write: (text: string) => void,
  lines: Lines,
  clock: { now(): Date },
): Promise<number> {
  let offset = 0
  for (let round = 0; round < measurements; round += 1) {
    const sent = clock.now().getTime()
    write('time\n')
    const there = guestMilliseconds(valueIn('time', await lines.next()))
    const received = clock.now().getTime()
    offset = clockOffset({ sent, received, there })
    const ahead = (received - sent) / 2
    if (Math.abs(offset) < mostClockOffsetMilliseconds) {
      if (ahead < mostClockOffsetMilliseconds) break
      continue
    }
    write(`set ${((clock.now().getTime() + ahead) / 1000).toFixed(3)}\n`)
  }
  return offset
}

/** Bash's EPOCHREALTIME: seconds and six digits of a fraction, after a point or a comma. */
function guestMilliseconds(text: string): number {
  const [, seconds, fraction] = /^(\d{1,12})[.,](\d{6})$/.exec(text) ?? []
  if (seconds !== undefined && fraction !== undefined) return Number(`${seconds}.${fraction}`) * 1000
  throw new GuestMisbehaved(
    `the guest says that its clock is at "${shown(text)}", which is no number of seconds`,
  )
}

/** Lines of a stream, one at a time. */
class Lines {
  private bytes = Buffer.alloc(0)
  private ended: Error | null = null
  private wake: () => void = () => undefined

  add(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk])
    this.wake()
  }

  end(error: Error): void {
    this.ended = error
    this.wake()
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.bytes.indexOf('\n')
      if (end >= 0) {
        const line = this.bytes.toString('utf8', 0, end)
        this.bytes = this.bytes.subarray(end + 1)
        return line
      }
      if (this.ended !== null) throw this.ended
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
