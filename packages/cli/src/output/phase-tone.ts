import { kinds } from '@hearth/contract'
import type { Tone } from './terminal.ts'

/** Tones for phases of what is not a kind: steps, and a pool's instances. */
const others: Readonly<Record<string, Tone>> = { removed: 'quiet', unavailable: 'bad', skipped: 'quiet' }
const tones: Readonly<Partial<Record<string, Tone>>> = Object.assign(
  {},
  ...Object.values(kinds).map((kind) => kind.tones),
  others,
)

/** Tone of a phase of any kind; a phase in progress is busy. */
export function phaseTone(phase: string): Tone {
  return tones[phase] ?? 'busy'
}
