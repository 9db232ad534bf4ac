import { toError } from '@hearth/foundation'
import { digestRandomSeed } from '../../host/random-seed.ts'
import type { SecureShellConnection } from '../../secure-shell/connection.ts'
import type { GuestEvidence, GuestMachine } from '../guest.ts'
import { mostClockOffsetMilliseconds } from '../identity.ts'
import { identityScript } from './identity-script.ts'

const measurements = 3

/** Reads the guest's identity over a connection that has proved the host key already. */
export async function identify(
  connection: SecureShellConnection,
  machine: GuestMachine,
  clock: { now(): Date },
  signal: AbortSignal,
): Promise<GuestEvidence> {
  const lines = new Lines()
  const execution = await connection.execute(identityScript, {
    keepInputOpen: true,
    onStdout: (chunk) => lines.add(chunk),
    signal,
  })
  const ended = execution.exitCode.then(
    () => lines.end(new Error('the identity check ended early')),
    (thrown: unknown) => lines.end(toError(thrown)),
  )
  const said = new Map<string, string>()
  for (let line = await lines.next(); line !== 'ready'; line = await lines.next()) {
    const blank = line.indexOf(' ')
    said.set(line.slice(0, blank), line.slice(blank + 1))
  }
  const offset = await measureClock(execution.write, lines, clock)
  execution.write('end\n')
  await ended
  return {
    machineId: said.get('machine_id') ?? '',
    hostname: said.get('hostname') ?? '',
    hostKeyMatches: true,
    randomSeedFresh: digestRandomSeed(said.get('seed') ?? '') === machine.identity.randomSeedDigest,
    clockOffsetMilliseconds: offset,
  }
}

/** Half the round trip is taken as the way there. A clock that is off is set, then measured again. */
async function measureClock(
  write: (text: string) => void,
  lines: Lines,
  clock: { now(): Date },
): Promise<number> {
  let offset = 0
  for (let round = 0; round < measurements; round += 1) {
    const sent = clock.now().getTime()
    write('time\n')
    const line = await lines.next()
    const received = clock.now().getTime()
    const there = Number(line.slice('time '.length).replace(',', '.')) * 1000
    offset = Math.round(there - (sent + received) / 2)
    if (Math.abs(offset) < mostClockOffsetMilliseconds) break
    const ahead = (received - sent) / 2
    write(`set ${((clock.now().getTime() + ahead) / 1000).toFixed(3)}\n`)
  }
  return offset
}

/** Lines of a stream, one at a time. */
class Lines {
  private text = ''
  private ended: Error | null = null
  private wake: () => void = () => undefined

  add(chunk: Buffer): void {
    this.text += chunk.toString('utf8')
    this.wake()
  }

  end(error: Error): void {
    this.ended = error
    this.wake()
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.text.indexOf('\n')
      if (end >= 0) {
        const line = this.text.slice(0, end)
        this.text = this.text.slice(end + 1)
        return line
      }
      if (this.ended !== null) throw this.ended
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
