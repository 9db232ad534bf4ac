import type {
  ClaimPhase,
  DesiredPhase,
  EnvironmentPhase,
  RunnerPhase,
  SnapshotHolder,
  SnapshotPhase,
  WarmPoolPhase,
} from '@hearth/contract'

/** Everything recorded of one run: by its users and observers, from its database and its hosts. */
export interface History {
  intents: Intents
  /** Answers to the same request under the same key. */
  repeats: { key: string; first: string; again: string }[]
  /** Versions in the order in which one reader saw them. */
  readings: Versioned[]
  /** Events as received by an observer of the HTTP stream, across all its reconnects. */
  streamed: SeenEvent[]
  /** Events as stored in the NATS stream. */
  published: SeenEvent[]
  /** Whether `published` was read, which takes long and is not done every time. */
  publishedWhole: boolean
  /** Where a secret was found in plain text. */
  leaks: string[]
  /** Times at which a runner was overcommitted. */
  oversold: string[]
  records: Records
  hosts: HostRecord[]
  /** Failures that the faults of this run may cause. */
  excused: { failedMachines: boolean }
}

/** Changes confirmed to users. */
export interface Intents {
  projects: { id: string; name: string; min: number; deleted: boolean; forced: boolean }[]
  environments: { id: string; desiredPhase: DesiredPhase }[]
  claims: { id: string; environmentId: string | null; projectId: string; released: boolean }[]
  snapshots: { id: string; deleted: boolean }[]
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
    desiredPhase: DesiredPhase
    projectId: string
    poolId: string | null
    runnerId: string | null
    claimId: string | null
    specVersion: number
    deadline: Date | null
    failure: string | null
    unreachable: boolean
    paused: boolean
    /** The snapshot that it starts from. */
    snapshotId: string | null
  }[]
  snapshots: {
    id: string
    phase: SnapshotPhase
    projectId: string
    /** The machine that it is made of. */
    environmentId: string | null
    deadline: Date | null
    failure: string | null
    holders: { runnerId: string; phase: SnapshotHolder['phase']; failure: string | null }[]
  }[]
  claims: { id: string; phase: ClaimPhase; environmentId: string | null; failure: string | null }[]
  runners: { id: string; name: string; phase: RunnerPhase; epoch: number }[]
  jobs: { id: string; operation: string; resourceId: string; phase: string }[]
  events: SeenEvent[]
  /** Changes committed but not published yet. */
  unsent: number
}

export interface HostRecord {
  runnerId: string
  /** Agents that act for the runner. */
  agents: number
  machines: {
    environmentId: string
    /** Null for a folder without a machine. */
    machine: {
      power: string
      owner: string
      epoch: number
      generation: number
      /** The layer that its disk stands on; null for its image. */
      layerId: string | null
    } | null
  }[]
  /** Null for a folder without a layer. */
  layers: { layerId: string; layer: { isPresent: boolean; owner: string; parentId: string | null } | null }[]
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
  | 'layer in use'
  | 'secrets'
  | 'answers'

export interface Violation {
  rule: Rule
  message: string
  /** Whether more waiting cannot repair it. */
  lasting: boolean
}
