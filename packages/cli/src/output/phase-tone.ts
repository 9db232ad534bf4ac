import type { Tone } from './terminal.ts'

const tones: Readonly<Record<string, Tone>> = {
  running: 'good',
  ready: 'good',
  active: 'good',
  bound: 'good',
  succeeded: 'good',
  failed: 'bad',
  offline: 'bad',
  degraded: 'busy',
  stopped: 'quiet',
  deleted: 'quiet',
  released: 'quiet',
  disabled: 'quiet',
  cleared: 'quiet',
  removed: 'quiet',
  unavailable: 'bad',
  skipped: 'quiet',
}

/** How a phase of any kind is coloured: anything on its way is busy. */
export function phaseTone(phase: string): Tone {
  return tones[phase] ?? 'busy'
}
