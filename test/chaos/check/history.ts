import type {
  ClaimPhase,
  DesiredPhase,
  EnvironmentPhase,
  PrebuildDesiredPhase,
  PrebuildPhase,
  PrebuildTemplate,
  ProcessPhase,
  RunCause,
  RunnerPhase,
  SnapshotHolder,
  SnapshotPhase,
  StartedFrom,
  WarmPoolPhase,
} from '@hearth/contract'

/** How often a service that crashes is started again before it has failed. */
export const crashRestarts = 3

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
  /** Layers that were gone from under something, at any time of the run. */
  goneLayers: string[]
  /** Times at which a runner was overcommitted. */
  oversold: string[]
  records: Records
  hosts: HostRecord[]
  /** Failures that the faults of this run may cause. */
  excused: { failedMachines: boolean }
}

/** Changes confirmed to users. */
export interface Intents {
  projects: {
    id: string
    name: string
    min: number
    /** How many of its pool run; null for all. */
    running: number | null
    deleted: boolean
    forced: boolean
    /** Whether its set-up is not what it was at first. */
    setUpChanged: boolean
  }[]
  environments: { id: string; desiredPhase: DesiredPhase }[]
  claims: { id: string; environmentId: string | null; projectId: string; released: boolean }[]
  snapshots: { id: string; deleted: boolean }[]
  prebuilds: {
    id: string
    projectId: string
    wanted: PrebuildDesiredPhase
    /** `either` where the set-up was changed after it was asked for. */
    setUp: 'works' | 'fails' | 'either'
  }[]
  /** Tasks and services. */
  processes: {
    id: string
    kind: 'Task' | 'Service'
    environmentId: string
    /** With which its command ends; null for a service that runs on. */
    exitCode: number | null
    /** The request of the newest answer. */
    request: number
    /** How often its start was asked for and confirmed. */
    starts: number
    stopped: boolean
    /** Whether its machine may go down while it runs. */
    mayBeLost: boolean
    /** Whether its machine was put back, perhaps to before it ran. */
    isPutBack: boolean
  }[]
  /** The environment is the one that it led to when it was made. */
  routes: { id: string; environmentId: string; port: number; deleted: boolean }[]
  volumes: {
    id: string
    /** The machine that it was last given to; null where it was taken out. */
    environmentId: string | null
    /** How often it was emptied. */
    clears: number
    /** When it was first seen in a machine, in milliseconds since 1970: it had been made by then. */
    seenAt: number | null
    deleted: boolean
  }[]
  webApps: {
    id: string
    environmentId: string
    uatId: string
    /** Those that were acknowledged. */
    deployments: string[]
    deleted: boolean
  }[]
  /** With the statuses that its program tells one after the other when it is asked to run. */
  pipelines: { id: string; told: readonly string[]; deleted: boolean }[]
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
  /** Of the resource; null for one without phases. */
  phase: string | null
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
    /** Until when members that need not run are left running, since a host could not suspend one. */
    restsAgainAt: string | null
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
    /** The prebuild that it was made for: that is built on it, or keeps its memory. */
    prebuildId: string | null
    /** The prebuild that Hearth chose for it to start from. */
    chosenPrebuildId: string | null
    startedFrom: Pick<StartedFrom, 'from' | 'snapshotId'> | null
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
    isOfPrebuild: boolean
    /** Whether it is to stay. */
    isWanted: boolean
    keepsMemory: boolean
  }[]
  prebuilds: {
    id: string
    projectId: string
    phase: PrebuildPhase
    desiredPhase: PrebuildDesiredPhase
    /** The same for prebuilds of which one may take the place of the other. */
    configuration: string
    snapshotId: string | null
    deadline: Date | null
    failure: string | null
    failedBoots: number
    templates: (Pick<PrebuildTemplate, 'runnerId' | 'phase' | 'snapshotId'> & { failure: string | null })[]
    /** What Hearth answers to why it is as it is; null for one that has ended. */
    why: string | null
  }[]
  processes: {
    id: string
    kind: 'task' | 'service'
    environmentId: string
    phase: ProcessPhase
    desired: 'run' | 'stop' | 'delete'
    request: number
    /** How many runs there were. */
    runs: number
    isRestarted: boolean
    deadline: Date | null
    failure: string | null
    failureCode: string | null
    /** Of the newest run. */
    cause: RunCause | null
    exitCode: number | null
    /** Whose service or task it is, if it is one of a release. */
    deploymentId: string | null
  }[]
  webApps: { id: string; environmentId: string; phase: string; failure: string | null }[]
  spaces: { id: string; currentDeploymentId: string | null }[]
  deployments: { id: string; environmentId: string; phase: string; failure: string | null }[]
  pipelines: {
    id: string
    resources: string
    desired: string
    runtime: string | null
    program: string
    storage: string
    error: string | null
    environmentId: string | null
    snapshotId: string | null
    volumeId: string | null
  }[]
  /** How each was, in the order of its events. */
  pipelineEvents: { pipelineId: string; sequence: number; resources: string; runtime: string | null }[]
  /** What was made for pipelines, and is to stay. */
  pipelineParts: { kind: 'machine' | 'volume' | 'snapshot'; id: string }[]
  routes: {
    id: string
    phase: string
    environmentId: string
    runnerId: string | null
    port: number
    failure: string | null
  }[]
  volumes: {
    id: string
    phase: string
    environmentId: string | null
    runnerId: string | null
    isMounted: boolean
    contentNumber: number
    failure: string | null
  }[]
  claims: { id: string; phase: ClaimPhase; environmentId: string | null; failure: string | null }[]
  runners: { id: string; name: string; phase: RunnerPhase; epoch: number; freeMebibytes: number }[]
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
      /** Whose identity its guest has where that is not its own. */
      actsAs: string | null
      /** Whether what opened its repositories is still in it. */
      holdsCredentials: boolean
    } | null
  }[]
  layers: LayerRecord[]
  /** What its proxy is to serve. */
  routes: { id: string; environmentId: string; port: number }[]
  volumes: {
    /** Of the folder: another name than an id is left of something interrupted. */
    id: string
    environmentId: string | null
    contentNumber: number
    /** When its disk was made, in milliseconds since 1970; null where there is none. */
    madeAt: number | null
  }[]
}

export interface LayerRecord {
  layerId: string
  /** Null for a folder without a layer. */
  layer: {
    isPresent: boolean
    owner: string
    parentId: string | null
    hasMemory: boolean
    /** Whether the secret is in its files; null where they were not searched. */
    holdsSecret: boolean | null
  } | null
}

export type Rule =
  | 'double claim'
  | 'double run'
  | 'lost intent'
  | 'orphan'
  | 'deadline'
  | 'versions'
  | 'events'
  | 'capacity'
  | 'fencing'
  | 'layer in use'
  | 'phases'
  | 'start'
  | 'secrets'
  | 'answers'

export interface Violation {
  rule: Rule
  message: string
  /** Whether more waiting cannot repair it. */
  lasting: boolean
}
