import type { PipelineRuntime, PrebuildPhase, WaitFor } from '@hearth/contract'

/**
 * What the users of a run do. Actions on one subject happen one after another, those on different subjects in
 * parallel.
 */
export interface Subject {
  name: string
  actions: Action[]
}

export type Action = { at: number } & (
  | {
      do: 'apply'
      project: string
      min: number
      /** How many of the pool run, and how the others wait; absent where all run. */
      rest?: { running: number; how: 'suspended' | 'stopped' }
      secret: boolean
      prebuilds: PrebuildsOf | null
    }
  | { do: 'change set-up'; project: string; fails: boolean }
  | { do: 'resize'; project: string; min: number }
  | { do: 'delete project'; project: string; force: boolean }
  | {
      do: 'claim'
      project: string
      fallback: 'cold' | 'refuse'
      again: boolean
      binds?: WaitFor
      /** After which its machine is deleted. */
      lifetimeSeconds?: number
    }
  | { do: 'release' }
  | { do: 'create environment'; project: string }
  | { do: 'power'; desiredPhase: 'running' | 'stopped' | 'suspended' }
  | { do: 'delete environment' }
  | { do: 'retry' }
  /** Of the user's environment, or of the machine of the user's claim; waits until that runs. */
  | { do: 'snapshot'; memory: boolean }
  | { do: 'checkpoint' }
  | { do: 'restore' }
  | { do: 'fork'; count: number; cold: boolean }
  /** The newest snapshot of the user. */
  | { do: 'copy'; runner: number }
  | { do: 'start from snapshot'; project: string; memory: boolean }
  | { do: 'delete snapshot'; force: boolean }
  | { do: 'run prebuild'; project: string; incremental: boolean }
  /** The newest prebuild of the user: until it has ended, and perhaps until a runner keeps its memory. */
  | { do: 'await prebuild'; memory: boolean }
  /** The same, as soon as it is in this phase or a later one. */
  | { do: 'cancel prebuild'; in: PrebuildPhase }
  | { do: 'delete prebuild'; in: PrebuildPhase; force: boolean }
  /** In the machine of the user's claim, once that is bound, or in the user's environment. */
  | { do: 'run task'; fails: boolean; seconds: number }
  | { do: 'run service'; crashes: boolean }
  /** The newest task of the user: until it has ended. */
  | { do: 'await task' }
  | { do: 'start task' }
  | { do: 'stop task' }
  | { do: 'start service' }
  | { do: 'stop service' }
  /** To the machine of the user's claim, once that is bound, or to the user's environment. */
  | { do: 'expose'; port: number }
  /** The newest route of the user. */
  | { do: 'lead elsewhere'; port: number }
  | { do: 'conceal' }
  /** For the machine of the user's claim, once that is bound, or for the user's environment. */
  | { do: 'attach volume' }
  /** The volume of the user. */
  | { do: 'detach volume'; force: boolean }
  | { do: 'clear volume' }
  | { do: 'delete volume' }
  /** For the user's environment. */
  | { do: 'make web app' }
  /** To the space uat of the user's web app. */
  | { do: 'deploy'; fails: 'release' | 'process' | null }
  | { do: 'await deployment' }
  | { do: 'promote' }
  | { do: 'delete web app' }
  /** One whose program tells these statuses, one after the other, when it is asked to run. */
  | { do: 'make pipeline'; told: readonly PipelineRuntime[] }
  /** The pipeline of the user. */
  | { do: 'start pipeline' }
  /** Until it runs, or has an error. */
  | { do: 'await pipeline' }
  | { do: 'stop pipeline'; force: boolean }
  | { do: 'clear pipeline' }
  | { do: 'delete pipeline' }
  | { do: 'drain'; runner: number }
  | { do: 'enable'; runner: number }
)

/** A project whose prebuilds users run. */
export interface PrebuildsOf {
  /** How many completed ones are kept. */
  keep: number
  /** Whether its set-up fails. */
  fails: boolean
}
