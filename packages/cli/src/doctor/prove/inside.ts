import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Environment } from '@hearth/contract'
import { type Clock, HearthError } from '@hearth/foundation'
import { configurationFile } from '../../ssh/access.ts'
import { sshAlias } from '../../ssh/configuration.ts'

/** What a clock is ahead of the right one, and by how much that may be wrong: half of the way to the guest and back. */
export interface ClockError {
  milliseconds: number
  uncertainty: number
}

/** Who a guest is and what goes on in it. Null is what could not be looked at. */
export interface Inside {
  machineId: string
  hostname: string
  hostKey: string | null
  /** 32 bytes of its random numbers, in hexadecimal. */
  random: string | null
  clock: ClockError
  /** The file on its disk. */
  note: string | null
  /** Whether the program that was started in the first machine runs. */
  isCounting: boolean | null
}

const note = '"$HOME/.hearth-prove"'
/** In memory: gone after a boot. */
const counter = '/dev/shm/hearth-prove'

/** Starts a program that counts in the guest's memory. */
export const startCounter = `(n=0; while :; do n=$((n+1)); echo $n >${counter}; sleep 0.1; done) </dev/null >/dev/null 2>&1 &`
export const writeNote = (text: string) => `echo ${text} >${note}; sync`

const lookScript = [
  'echo "machineId $(cat /etc/machine-id)"',
  'echo "hostname $(hostname)"',
  'echo "random $(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d " \\n")"',
  `echo "note $(cat ${note} 2>/dev/null)"`,
  `one=$(cat ${counter} 2>/dev/null); sleep 0.5; two=$(cat ${counter} 2>/dev/null)`,
  '[ "$one" != "$two" ] && echo "counting yes" || echo "counting no"',
  'echo clock',
  `while read -r line; do echo "\${EPOCHREALTIME:-$(date +%s.%N)}"; done`,
].join('\n')
/** The shortest of these rounds says what the clock is. */
const clockRounds = 3
const patienceMilliseconds = 60_000

export interface Entrance {
  stateFolder: string
  variables: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
  clock: Clock
}

/**
 * Looks into a guest over SSH, for which access to the claim must have been stored: its pinned host key is proved by
 * that. `answered` is called with the first line.
 */
export async function lookInside(
  claimId: string,
  { status }: Environment,
  entrance: Entrance,
  answered: () => void,
): Promise<Inside> {
  const facts = new Map<string, string>()
  const clocks: ClockError[] = []
  let sentAt: number | null = null
  await converse(claimId, lookScript, entrance, (line, send, end) => {
    const now = entrance.clock.now().getTime()
    if (facts.size === 0) answered()
    if (sentAt !== null) clocks.push(clockError(Number(line.replace(',', '.')) * 1_000, sentAt, now))
    else facts.set(line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1))
    if (line !== 'clock' && sentAt === null) return
    if (clocks.length === clockRounds) return end()
    sentAt = entrance.clock.now().getTime()
    send('')
  })
  const best = clocks.toSorted((one, other) => one.uncertainty - other.uncertainty)[0]
  if (best === undefined) throw new HearthError('internal', 'the guest did not say what time it is')
  return {
    machineId: facts.get('machineId') ?? '',
    hostname: facts.get('hostname') ?? '',
    hostKey: status.address?.hostKey ?? '',
    random: facts.get('random') ?? '',
    clock: best,
    note: facts.get('note') ?? '',
    isCounting: facts.get('counting') === 'yes',
  }
}

function clockError(there: number, sentAt: number, receivedAt: number): ClockError {
  return {
    milliseconds: Math.round(there - (sentAt + receivedAt) / 2),
    uncertainty: Math.ceil((receivedAt - sentAt) / 2),
  }
}

/** Runs commands in the guest; throws with what they printed to standard error when they fail. */
export async function runInside(claimId: string, script: string, entrance: Entrance): Promise<void> {
  await converse(claimId, script, entrance, () => undefined)
}

/** What the agent of a pretended machine says of it. */
export function reportedInside({ status }: Environment): Inside {
  return {
    machineId: status.identity?.machineId ?? '',
    hostname: status.identity?.hostname ?? '',
    // Pretended machines share a few keys.
    hostKey: null,
    random: null,
    clock: { milliseconds: status.identity?.clockOffsetMilliseconds ?? Number.NaN, uncertainty: 0 },
    note: null,
    isCounting: null,
  }
}

type Answer = (line: string, send: (line: string) => void, end: () => void) => void

function converse(
  claimId: string,
  script: string,
  { stateFolder, variables, signal }: Entrance,
  answer: Answer,
): Promise<void> {
  const words = ['-F', configurationFile(stateFolder, claimId), '-o', 'BatchMode=yes', sshAlias, script]
  const timed = AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)])
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', words, { env: { ...variables }, signal: timed })
    let complaint = ''
    child.stderr.on('data', (data: Buffer) => {
      complaint += data.toString()
    })
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) =>
      answer(
        line,
        (text) => child.stdin.write(`${text}\n`),
        () => child.stdin.end(),
      ),
    )
    child.once('error', (error) => {
      reject(
        timed.aborted && !signal.aborted
          ? new HearthError(
              'unavailable',
              `its guest did not answer within ${patienceMilliseconds / 1_000} s`,
            )
          : error,
      )
    })
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new HearthError('unavailable', `ssh ended with ${code}: ${complaint.trim()}`))
    })
  })
}
