import type { StepName } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'

export interface SyntheticSettings {
  createMilliseconds: number
  bootMilliseconds: number
  stepMilliseconds: number
  /** For each step, the share of times that it fails, 0 to 1. */
  failures: Partial<Record<StepName, number>>
}

/** Decides by chance, with the share that the settings give the step. */
export function failsByChance(settings: SyntheticSettings, step: StepName, random: () => number): boolean {
  return random() < (settings.failures[step] ?? 0)
}

/** What the host and its guests share. */
export interface SyntheticWorld {
  settings: SyntheticSettings
  clock: Clock
  /** At least 0 and below 1. */
  random(): number
}
