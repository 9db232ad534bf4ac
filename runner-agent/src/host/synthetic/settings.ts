import type { StepName } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'

export interface SyntheticPort {
  port: number
  at: { host: string; port: number }
}

export interface SyntheticSettings {
  createMilliseconds: number
  bootMilliseconds: number
  stepMilliseconds: number
  /** Until a layer is frozen, or the memory of a machine kept. */
  freezeMilliseconds: number
  /** Until a machine that goes on from memory answers. */
  resumeMilliseconds: number
  /** Until a piece of a layer is read. */
  readMilliseconds: number
  /** Probability of failure of each step, 0 to 1. */
  failures: Partial<Record<StepName, number>>
  /** A folder of the host with the files that repositories of its guests have: `shop/hearth.yaml`; null for none. */
  repositories: string | null
  /** Whether the host runs the commands that are called into its machines; they are refused otherwise. */
  runsCommands: boolean
  /** Servers that listen on ports of its guests; on each other port one of the agent's own answers. */
  ports?: readonly SyntheticPort[]
}

/** Decides at random whether a step fails, with the probability in the settings. */
export function failsByChance(settings: SyntheticSettings, step: StepName, random: () => number): boolean {
  return random() < (settings.failures[step] ?? 0)
}

/** Settings shared by the host and its guests. */
export interface SyntheticWorld {
  settings: SyntheticSettings
  clock: Clock
  /** A random number, at least 0 and below 1. */
  random(): number
}
