import type { History, Records, SeenEvent } from './history.ts'
import { calmHistory, environment, layer, machine, snapshot } from './sample.ts'

const runnerId = 'runner-1'
type Prebuild = Records['prebuilds'][number]

/** A correct run with a completed prebuild, whose disk and memory its runner keeps, and a member that started from the memory. */
export function prebuiltHistory(
  change: {
    prebuilds?: Records['prebuilds']
    environments?: Records['environments']
    snapshots?: Records['snapshots']
    layers?: History['hosts'][number]['layers']
    machines?: History['hosts'][number]['machines']
    wanted?: Partial<History['intents']['prebuilds'][number]>
    phases?: readonly string[]
  } = {},
): History {
  const calm = calmHistory()
  const phases = change.phases ?? ['pending', 'starting', 'running', 'stopping', 'snapshotting', 'completed']
  const events = phases.map((phase, index) => moved(index + 1, phase))
  const asked = { id: 'prebuild-1', projectId: 'project-1', wanted: 'completed', setUp: 'works' } as const
  return calmHistory({
    intents: { ...calm.intents, snapshots: [], prebuilds: [{ ...asked, ...change.wanted }] },
    readings: [],
    streamed: events,
    published: events,
    records: {
      ...calm.records,
      environments: change.environments ?? [
        environment('claimed', { claimId: 'claim-1' }),
        member(),
        ...makers(),
      ],
      snapshots: change.snapshots ?? [disk(), memory()],
      prebuilds: change.prebuilds ?? [prebuild()],
      events,
    },
    hosts: [
      {
        runnerId,
        agents: 1,
        machines: change.machines ?? [machine('claimed'), machine('ready', { layerId: 'memory-1' })],
        layers: change.layers ?? [
          layer('disk-1'),
          layer('memory-1', { parentId: 'disk-1', hasMemory: true }),
        ],
        routes: [],
        volumes: [],
      },
    ],
  })
}

export const prebuild = (change: Partial<Prebuild> = {}): Prebuild => ({
  ...{ id: 'prebuild-1', projectId: 'project-1', phase: 'completed', desiredPhase: 'completed' },
  ...{
    configuration: 'same',
    snapshotId: 'disk-1',
    deadline: null,
    failure: null,
    failedBoots: 0,
    why: null,
  },
  templates: [{ runnerId, phase: 'ready', snapshotId: 'memory-1', failure: null }],
  ...change,
})

/** A member of the pool that started from the memory. */
export const member = (change: Partial<Records['environments'][number]> = {}) =>
  environment('ready', {
    ...{ chosenPrebuildId: 'prebuild-1', snapshotId: 'memory-1' },
    startedFrom: { from: 'memory', snapshotId: 'memory-1' },
    ...change,
  })

/** The machines that the disk and the memory were made of, which are gone. */
export const makers = (change: Partial<Records['environments'][number]> = {}) =>
  ['builder', 'template'].map((id) =>
    environment(id, {
      phase: 'deleted',
      desiredPhase: 'deleted',
      poolId: null,
      prebuildId: 'prebuild-1',
      ...change,
    }),
  )

export const disk = (change: Partial<Records['snapshots'][number]> = {}) =>
  snapshot({ id: 'disk-1', environmentId: 'builder', isOfPrebuild: true, ...change })

export const memory = (change: Partial<Records['snapshots'][number]> = {}) =>
  snapshot({ id: 'memory-1', environmentId: 'template', isOfPrebuild: true, keepsMemory: true, ...change })

export function moved(position: number, phase: string, resourceId = 'prebuild-1'): SeenEvent {
  return {
    id: `event-${position}`,
    ...{ position, kind: 'Prebuild', resourceId, specVersion: 1, statusVersion: position, phase },
  }
}
