import { kinds } from '@hearth/contract'
import type { Tone } from './terminal.ts'

/** Of what has phases and is no kind: steps, and the instances of a pool. */
const others: Readonly<Record<string, Tone>> = { removed: 'quiet', unavailable: 'bad', skipped: 'quiet' }
const tones: Readonly<Partial<Record<string, Tone>>> = Object.assign(
  {},
  ...Object.values(kinds).map((kind) => kind.tones),
  others,
)

/** How a phase of any kind is coloured: anything on its way is busy. */
export function phaseTone(phase: string): Tone {
  return tones[phase] ?? 'busy'
}
