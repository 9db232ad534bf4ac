import type { Pipeline, Service as RunService } from '@hearth/contract'
import { eventually } from '@hearth/testing'
import { tell } from '../system/pipeline-world.ts'
import { machinesEach, startFleet } from './fleet-processes.ts'
import { benchPipelineStart } from './pipeline-start.ts'
import { type Service, startService } from './service.ts'
import { latenciesOf, median } from './statistics.ts'
import type { Row } from './table.ts'

const pipelines = 200
/** Statuses that each tells, and seconds between two of them. */
const told = { count: 40, apart: 5 }
const bootMilliseconds = 300_000
/** Pipelines beside which the cost of one event is measured, and how many events. */
const beside = { few: 10, many: 1_000, events: 300 }

/** A start, how late an observer sees what programs say, and what one event costs beside few and beside many pipelines. */
export async function benchPipelines(): Promise<Row[]> {
  return [await benchPipelineStart(), await benchDelay(), await benchCost()]
}

const wish = JSON.stringify({ desired: 'running', bootstrap: 'await_approval', isApproved: false })
const statusAt = (index: number) => (index % 2 === 0 ? 'running' : 'paused')
const run = Array.from(
  { length: told.count },
  (_, index) => `# simulated: on ${wish} after ${index * told.apart} ${tell(statusAt(index))}`,
).join('\n')

async function make({ client }: Service, name: string): Promise<string> {
  const program = { toolchain: 'command' as const, code: 'measured', configuration: { run } }
  const { metadata } = await client.pipelines.create({
    name,
    spec: { program, runtime: { storageMebibytes: 64 } },
  })
  return metadata.id
}

async function untilAll({ client }: Service, wanted: (pipeline: Pipeline) => boolean): Promise<void> {
  await eventually(async () => (await client.pipelines.listAll({})).every(wanted), {
    timeoutMilliseconds: bootMilliseconds,
  })
}

async function benchDelay(): Promise<Row> {
  await using service = await startService()
  using _ = await startFleet(service, Math.ceil((2 * pipelines) / machinesEach))
  const ids = await Promise.all(Array.from({ length: pipelines }, (_, index) => make(service, `p-${index}`)))
  await untilAll(service, ({ status }) => status.program === 'success')
  const seen = new Map<string, { runtime: string; at: number }[]>(ids.map((id) => [id, []]))
  const ending = new AbortController()
  const following = follow(service, seen, ending.signal)
  await Promise.all(ids.map((id) => service.client.pipelines.start(id)))
  await untilAll(service, ({ status }) => status.resources === 'provisioned')
  const begun = Date.now()
  await eventually(async () => [...seen.values()].every(({ length }) => length >= told.count), {
    timeoutMilliseconds: (told.count * told.apart + 60) * 1_000,
  })
  ending.abort()
  await following
  const services = await service.client.services.listAll({})
  const delays = services.flatMap((one) => delaysOf(one, seen, begun))
  const { p50, p99 } = latenciesOf(delays, 1)
  process.stderr.write(`pipelines: ${delays.length} statuses, p50 ${p50.toFixed(0)} ms\n`)
  return { measure: `status of ${pipelines} pipelines, p99`, hearth: p99, floor: null, unit: 'ms', most: 250 }
}

/** Notes when each status reaches an observer. */
async function follow(
  { client }: Service,
  seen: ReadonlyMap<string, { runtime: string; at: number }[]>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { resource } of client.events.follow({ signal })) {
    if (resource.kind !== 'Pipeline') continue
    const { metadata, status } = resource as unknown as Pipeline
    const all = seen.get(metadata.id)
    const { runtime } = status
    if (runtime === 'running' || runtime === 'paused')
      if (all !== undefined && all.at(-1)?.runtime !== runtime) all.push({ runtime, at: Date.now() })
  }
}

/** From when its program told each, which follows from the start of its run, until it was seen; once all ran. */
function delaysOf(
  { spec, status }: RunService,
  seen: ReadonlyMap<string, { runtime: string; at: number }[]>,
  begun: number,
): number[] {
  const startedAt = Date.parse(status.run?.startedAt ?? '')
  return (seen.get(spec.keptBy?.id ?? '') ?? []).flatMap(({ at }, index) => {
    const toldAt = startedAt + index * told.apart * 1_000
    return toldAt < begun ? [] : [at - toldAt]
  })
}

/** A start and a stop of one that is never compiled, since there is no host: each is an event and nothing else. */
async function benchCost(): Promise<Row> {
  await using service = await startService()
  const make = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1)
      await service.client.pipelines.create({ name: `p-${index}`, spec: { program: { code: 'SELECT 1' } } })
  }
  await make(0, beside.few)
  const few = await costOf(service)
  await make(beside.few, beside.many)
  const many = await costOf(service)
  const measure = `event beside ${beside.many} pipelines, against ${beside.few}`
  return { measure, hearth: many, floor: few, unit: 'ms', most: 1.3 }
}

async function costOf({ client }: Service): Promise<number> {
  const samples: number[] = []
  for (let index = 0; index < beside.events; index += 1) {
    const began = performance.now()
    if (index % 2 === 0) await client.pipelines.start('p-0')
    else await client.pipelines.stop('p-0')
    samples.push(performance.now() - began)
  }
  return median(samples)
}
