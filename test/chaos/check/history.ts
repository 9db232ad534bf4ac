import type { ClaimPhase, EnvironmentPhase, RunnerPhase, WarmPoolPhase } from '@hearth/contract'

/** Everything that was seen of one run, by those who can see something: its users, its observers, its database, its hosts. */
export interface History {
  intents: Intents
  /** Answers to the same request under the same key. */
  repeats: { key: string; first: string; again: string }[]
  /** Versions as one reader saw them, in the order it did. */
  readings: Versioned[]
  /** Events as an observer of the HTTP stream got them, over all its losses of connection. */
  streamed: SeenEvent[]
  /** Events as they stand in the NATS stream. */
  published: SeenEvent[]
  /** Whether `published` was read: it takes long, and is not each time. */
  publishedWhole: boolean
  /** Where one of the secrets stood in plain text. */
  leaks: string[]
  /** Moments at which more was promised of a runner than it has. */
  oversold: string[]
  records: Records
  hosts: HostRecord[]
  /** What the faults of this run may make fail. */
  excused: { failedMachines: boolean }
}

/** What users were told is done. */
export interface Intents {
  projects: { id: string; name: string; min: number; deleted: boolean; forced: boolean }[]
  environments: { id: string; desiredPhase: 'running' | 'stopped' | 'deleted' }[]
  claims: { id: string; environmentId: string | null; projectId: string; released: boolean }[]
}

export interface Versioned {
  kind: string
  id: string
  specVersion: number
  statusVersion: number
}

export interface SeenEvent {
  id: string
  position: number
  kind: string
  resourceId: string
  specVersion: number | null
  statusVersion: number | null
}

/** The database, as of one moment. */
export interface Records {
  now: Date
  projects: { id: string; name: string; phase: string }[]
  pools: {
    id: string
    projectId: string
    phase: WarmPoolPhase
    enabled: boolean
    min: number
    failure: string | null
  }[]
  environments: {
    id: string
    phase: EnvironmentPhase
    desiredPhase: 'running' | 'stopped' | 'deleted'
    projectId: string
    poolId: string | null
    runnerId: string | null
    claimId: string | null
    specVersion: number
    deadline: Date | null
    failure: string | null
    unreachable: boolean
    paused: boolean
  }[]
  claims: { id: string; phase: ClaimPhase; environmentId: string | null; failure: string | null }[]
  runners: { id: string; name: string; phase: RunnerPhase; epoch: number }[]
  jobs: { id: string; operation: string; resourceId: string; phase: string }[]
  events: SeenEvent[]
  /** Changes that are committed and not yet sent. */
  unsent: number
}

export interface HostRecord {
  runnerId: string
  /** Agents that act for the runner. */
  agents: number
  machines: {
    environmentId: string
    /** null where a machine's folder is left without a machine. */
    machine: { power: string; owner: string; epoch: number; generation: number } | null
  }[]
}

export type Rule =
  | 'double claim'
  | 'lost intent'
  | 'orphan'
  | 'deadline'
  | 'versions'
  | 'events'
  | 'capacity'
  | 'fencing'
  | 'secrets'
  | 'answers'

export interface Violation {
  rule: Rule
  message: string
  /** Whether waiting longer cannot heal it. */
  lasting: boolean
}
