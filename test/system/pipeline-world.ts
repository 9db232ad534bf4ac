import type { Pipeline, PipelineEvent, PipelineRuntime } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { until } from './following.ts'
import type { Installation } from './installation.ts'

/** What a line of the journal begins with. */
const prefix = 'hearth-pipeline: '

interface Wanted {
  bootstrap?: 'await_approval' | 'allow' | 'reject'
  isApproved?: boolean
}
const wish = (desired: string, { bootstrap = 'await_approval', isApproved = false }: Wanted = {}) =>
  JSON.stringify({ desired, bootstrap, isApproved })

export interface Simulated {
  /** What it tells when it begins, one after the other. */
  first?: readonly PipelineRuntime[]
  /** What it tells when it is asked to run. */
  running?: readonly string[]
  /** Seconds between two of them. */
  apart?: number
  /** Whether it does nothing when it is asked to store. */
  isStubborn?: boolean
  more?: readonly string[]
}

/** The run line of a program that tells on a synthetic host how it is, as its wishes change; `tell` is a line of its journal. */
export function simulatedRun({
  first = ['initializing'],
  running = ['running'],
  apart = 0,
  isStubborn = false,
  more = [],
}: Simulated = {}): string {
  const on = (to: string, statuses: readonly string[], wanted?: Wanted) =>
    statuses.map(
      (status, index) => `# simulated: on ${wish(to, wanted)} after ${index * apart} ${tell(status)}`,
    )
  const each = (['await_approval', 'allow', 'reject'] as const).flatMap((bootstrap) =>
    [false, true].flatMap((isApproved) => [
      // A line of a configuration is not endless: told is all to the wish of a start of which nothing else is said.
      ...on('running', bootstrap === 'await_approval' && !isApproved ? running : running.slice(-1), {
        ...{ bootstrap, isApproved },
      }),
      ...on('paused', ['paused'], { bootstrap, isApproved }),
      ...on('standby', ['standby'], { bootstrap, isApproved }),
      ...(isStubborn
        ? []
        : [
            ...on('suspended', ['suspended'], { bootstrap, isApproved }),
            `# simulated: on ${wish('suspended', { bootstrap, isApproved })} after 0.05 exit 0`,
          ]),
    ]),
  )
  return [...first.map((status) => `# simulated: after 0 ${tell(status)}`), ...each, ...more].join('\n')
}
export const tell = (status: string) => `print ${prefix}${JSON.stringify({ status, since: 'x' })}`

interface Left {
  machines: number
  volumes: number
  snapshots: number
}
interface MadeOptions {
  run?: string
  check?: string
  build?: string
  runtime?: object
  code?: string
  environmentClass?: string
}

/** What tests of pipelines do. */
export function pipelineWorld(installation: () => Pick<Installation, 'client'>, milliseconds = 60_000) {
  const client = () => installation().client
  const world = {
    /** One whose program is simulated. */
    async made({
      run = simulatedRun(),
      check,
      build,
      runtime = {},
      code = 'program',
      environmentClass,
    }: MadeOptions = {}): Promise<string> {
      const configuration = {
        run,
        ...(check === undefined ? {} : { check }),
        ...(build === undefined ? {} : { build }),
      }
      const { metadata } = await client().pipelines.create({
        name: `p_${newId().slice(-10)}`,
        spec: {
          program: { toolchain: 'command', code, configuration },
          runtime: { storageMebibytes: 64, ...runtime },
          ...(environmentClass === undefined ? {} : { environmentClass }),
        },
      })
      return metadata.id
    },
    get: (id: string): Promise<Pipeline> => client().pipelines.get(id),
    until: (id: string, wanted: (pipeline: Pipeline) => boolean): Promise<Pipeline> =>
      until(client(), `pipeline ${id}`, () => client().pipelines.get(id), wanted, milliseconds),
    untilPhase: (id: string, phase: Pipeline['status']['phase']): Promise<Pipeline> =>
      world.until(id, ({ status }) => status.phase === phase),
    untilProgram: (id: string, program: Pipeline['status']['program']): Promise<Pipeline> =>
      world.until(id, ({ status }) => status.program === program),
    /** One that is compiled. */
    async compiled(options: MadeOptions = {}): Promise<string> {
      const id = await world.made(options)
      await world.untilProgram(id, 'success')
      return id
    },
    /** One that runs. */
    async running(options: MadeOptions = {}): Promise<string> {
      const id = await world.made(options)
      await client().pipelines.start(id)
      await world.untilPhase(id, 'running')
      return id
    },
    /** How it was, the oldest first. */
    events: async (id: string): Promise<PipelineEvent[]> =>
      (await client().pipelines.events(id, 720)).toReversed(),
    /** What its runtime was, one after the other, while it had a machine. */
    async runtimes(id: string): Promise<string[]> {
      const seen: string[] = []
      for (const { runtimeStatus } of await world.events(id))
        if (runtimeStatus !== null && seen.at(-1) !== runtimeStatus) seen.push(runtimeStatus)
      return seen
    },
    /** The same, when there are so many. */
    async untilRuntimes(id: string, count: number): Promise<string[]> {
      await until(
        client(),
        `${count} runtimes`,
        () => world.runtimes(id),
        ({ length }) => length >= count,
      )
      return world.runtimes(id)
    },
    /** Its volume. */
    volumes: async (id: string) =>
      (await client().volumes.listAll({})).filter(({ spec }) => spec.keptBy?.id === id),
    snapshots: async () =>
      (await client().snapshots.listAll({})).filter(
        ({ spec }) => spec.purpose === 'pipeline' && spec.desiredPhase === 'ready',
      ),
    /** Machines, volumes and snapshots of pipelines that are there and are to stay. */
    async left(): Promise<Left> {
      const projects = await client().projects.listAll({})
      const project = projects.find(({ metadata }) => metadata.name === 'pipelines')
      const environments = await client().environments.listAll({})
      const volumes = await client().volumes.listAll({})
      return {
        machines: environments.filter(({ spec }) => spec.projectId === project?.metadata.id).length,
        volumes: volumes.filter(({ spec }) => spec.keptBy != null).length,
        snapshots: (await world.snapshots()).length,
      }
    },
    /** Waits until nothing is left but what is named. */
    untilGone: (kept: Partial<Left>): Promise<Left> =>
      until(
        client(),
        'what is left of pipelines',
        () => world.left(),
        (left) =>
          left.machines === (kept.machines ?? 0) &&
          left.volumes === (kept.volumes ?? 0) &&
          left.snapshots === (kept.snapshots ?? 0),
        milliseconds,
      ),
    /** Stops, clears and deletes one. */
    async gone(id: string): Promise<void> {
      await client().pipelines.stop(id, { force: true })
      await world.untilPhase(id, 'stopped')
      await client().pipelines.clear(id)
      await world.until(id, ({ status }) => status.storage === 'cleared')
      await client().pipelines.delete(id)
      await world.untilGone({})
    },
  }
  return world
}
