import { constants } from 'node:os'

/** The C library's first and last real-time signal; the kernel's numbers before it are the library's own. */
const realTime = { first: 34, last: 64 }

const names = new Map(
  Object.entries(constants.signals)
    // Names that are others' second ones.
    .filter(([name]) => !['SIGIOT', 'SIGPOLL', 'SIGUNUSED', 'SIGCLD'].includes(name))
    .map(([name, number]) => [number, name] as const),
)

/** The name of a Linux signal, as in SIGKILL; null for a number that is none. */
export function signalName(number: number): string | null {
  const name = names.get(number)
  if (name !== undefined) return name
  if (number < realTime.first || number > realTime.last) return null
  return number === realTime.first ? 'SIGRTMIN' : `SIGRTMIN+${number - realTime.first}`
}
