import type { History, SeenEvent } from './history.ts'

const runnerId = 'runner-1'

/** An artificial correct run: one project with a pool of one, one claim, one host. */
export function calmHistory(change: Partial<History> = {}): History {
  return {
    intents: {
      projects: [
        {
          id: 'project-1',
          name: 'amber',
          min: 1,
          running: null,
          deleted: false,
          forced: false,
          setUpChanged: false,
        },
      ],
      environments: [],
      claims: [{ id: 'claim-1', environmentId: 'claimed', projectId: 'project-1', released: false }],
      snapshots: [{ id: 'snapshot-1', deleted: false }],
      prebuilds: [],
      processes: [],
      routes: [],
      volumes: [],
      webApps: [],
      pipelines: [],
    },
    repeats: [{ key: 'key-1', first: 'the same', again: 'the same' }],
    readings: [reading(1, 1), reading(1, 2), reading(2, 2)],
    streamed: [event(1, 1), event(2, 2)],
    published: [event(1, 1), event(1, 1), event(2, 2)],
    publishedWhole: true,
    leaks: [],
    goneLayers: [],
    oversold: [],
    records: {
      now: new Date('2026-01-01T00:00:00Z'),
      projects: [{ id: 'project-1', name: 'amber', phase: 'active' }],
      pools: [
        {
          ...{ id: 'pool-1', projectId: 'project-1', phase: 'ready', enabled: true, min: 1 },
          restsAgainAt: null,
          failure: null,
        },
      ],
      environments: [environment('claimed', { claimId: 'claim-1' }), environment('ready')],
      snapshots: [snapshot()],
      prebuilds: [],
      processes: [],
      routes: [],
      volumes: [],
      webApps: [],
      spaces: [],
      deployments: [],
      pipelines: [],
      pipelineEvents: [],
      pipelineParts: [],
      claims: [{ id: 'claim-1', phase: 'bound', environmentId: 'claimed', failure: null }],
      runners: [{ id: runnerId, name: 'host-1', phase: 'active', epoch: 1, freeMebibytes: 8_192 }],
      jobs: [],
      events: [event(1, 1), event(2, 2)],
      unsent: 0,
    },
    hosts: [
      {
        runnerId,
        agents: 1,
        machines: [machine('claimed'), machine('ready')],
        layers: [layer()],
        routes: [],
        volumes: [],
      },
    ],
    excused: { failedMachines: false },
    ...change,
  }
}

export function environment(
  id: string,
  change: Partial<History['records']['environments'][number]> = {},
): History['records']['environments'][number] {
  return {
    id,
    phase: 'running',
    desiredPhase: 'running',
    projectId: 'project-1',
    poolId: 'pool-1',
    runnerId,
    claimId: null,
    specVersion: 1,
    deadline: null,
    failure: null,
    unreachable: false,
    paused: false,
    snapshotId: null,
    prebuildId: null,
    chosenPrebuildId: null,
    startedFrom: null,
    ...change,
  }
}

export function machine(
  environmentId: string,
  change: Partial<NonNullable<History['hosts'][number]['machines'][number]['machine']>> = {},
): History['hosts'][number]['machines'][number] {
  return {
    environmentId,
    machine: {
      power: 'running',
      owner: runnerId,
      epoch: 1,
      generation: 1,
      layerId: null,
      actsAs: null,
      holdsCredentials: false,
      ...change,
    },
  }
}

export function snapshot(
  change: Partial<History['records']['snapshots'][number]> = {},
): History['records']['snapshots'][number] {
  return {
    ...{ id: 'snapshot-1', phase: 'ready', projectId: 'project-1', environmentId: 'claimed', deadline: null },
    failure: null,
    holders: [{ runnerId, phase: 'present', failure: null }],
    isOfPrebuild: false,
    isWanted: true,
    keepsMemory: false,
    ...change,
  }
}

/** A task whose command exited with 0. */
export function process(
  change: Partial<History['records']['processes'][number]> = {},
): History['records']['processes'][number] {
  return {
    ...{ id: 'task-1', kind: 'task', environmentId: 'claimed', phase: 'succeeded', desired: 'run' },
    ...{ request: 1, runs: 1, isRestarted: false, deadline: null, failure: null, failureCode: null },
    ...{ cause: 'exit', exitCode: 0, deploymentId: null },
    ...change,
  }
}

export function layer(
  layerId = 'snapshot-1',
  change: Partial<NonNullable<History['hosts'][number]['layers'][number]['layer']>> = {},
): History['hosts'][number]['layers'][number] {
  const plain = { isPresent: true, owner: runnerId, parentId: null, hasMemory: false, holdsSecret: null }
  return { layerId, layer: { ...plain, ...change } }
}

export function event(position: number, statusVersion: number): SeenEvent {
  return {
    id: `event-${position}`,
    position,
    kind: 'Environment',
    resourceId: 'ready',
    specVersion: 1,
    statusVersion,
    phase: 'running',
  }
}

function reading(specVersion: number, statusVersion: number) {
  return { kind: 'Environment', id: 'ready', specVersion, statusVersion }
}
