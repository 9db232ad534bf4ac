import type { StartedFrom } from '@hearth/contract'
import type { Inside } from './inside.ts'

/** Most that a guest's clock may be wrong. */
const mostClockMilliseconds = 500

/** What one start must have come to. */
export interface Expected {
  /** Null where nothing else than the image is thinkable. */
  from: 'disk' | 'memory' | null
  note: string
  isCounting: boolean
  /** The same machine as before, or one of its own. */
  identity: 'same' | 'own'
}

/** Everything that is not as it should be, in words; empty where all is. `others` were seen before or beside it. */
export function judge(
  seen: Inside,
  startedFrom: StartedFrom | null,
  expected: Expected,
  others: readonly Inside[],
): string[] {
  const faults = [
    ...judgeStart(startedFrom, expected),
    ...judgeContent(seen, expected),
    ...(expected.identity === 'own' ? judgeOwn(seen, others) : judgeSame(seen, others)),
  ]
  if (seen.random !== null && others.some(({ random }) => random === seen.random))
    faults.push('its random numbers are those of another machine')
  const { milliseconds, uncertainty } = seen.clock
  if (!(Math.abs(milliseconds) - uncertainty <= mostClockMilliseconds))
    faults.push(`its clock is wrong by ${milliseconds} ms`)
  return faults
}

function judgeStart(startedFrom: StartedFrom | null, { from }: Expected): string[] {
  if (from === null || startedFrom?.from === from) return []
  if (startedFrom === null) return ['its runner does not say what it started from']
  const because = startedFrom.reason === null ? '' : `: ${startedFrom.reason}`
  return [`it started from the ${startedFrom.from}, not the ${from}${because}`]
}

function judgeContent({ note, isCounting }: Inside, expected: Expected): string[] {
  const faults: string[] = []
  if (note !== null && note !== expected.note)
    faults.push(`its file says ${JSON.stringify(note)}, not ${JSON.stringify(expected.note)}`)
  if (isCounting !== null && isCounting !== expected.isCounting)
    faults.push(
      expected.isCounting ? 'the program that ran does not run on' : 'a program runs that should not',
    )
  return faults
}

const parts = { machineId: 'machine id', hostname: 'host name', hostKey: 'host key' } as const
const partNames = Object.keys(parts) as (keyof typeof parts)[]

function judgeOwn(seen: Inside, others: readonly Inside[]): string[] {
  return partNames
    .filter((part) => seen[part] !== null)
    .filter((part) => seen[part] === '' || others.some((other) => other[part] === seen[part]))
    .map((part) =>
      seen[part] === '' ? `it has no ${parts[part]}` : `its ${parts[part]} is that of another machine`,
    )
}

function judgeSame(seen: Inside, others: readonly Inside[]): string[] {
  return partNames
    .filter((part) => others.some((other) => other[part] !== seen[part]))
    .map((part) => `its ${parts[part]} is another than before`)
}
