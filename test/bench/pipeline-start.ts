import type { Environment, Pipeline } from '@hearth/contract'
import { until } from '../system/following.ts'
import { type GuestService, startGuestService } from './guest-service.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 5
const bootMilliseconds = 600_000
const room = 4

/**
 * A compiled pipeline from `start` until it runs, against a machine from the same snapshot with its memory, and the same
 * program as a service in it until it says how it is; the two alternate.
 */
export async function benchPipelineStart(): Promise<Row> {
  await using guests = await startGuestService(room, {}, 'debian-12-web')
  const pipelineId = await compile(guests)
  const samples = { hearth: [] as number[], floor: [] as number[] }
  for (let round = -1; round < rounds; round += 1) {
    const { command, variables, took } = await start(guests, pipelineId)
    const { claim, service } = await startByParts(guests, command, variables)
    process.stderr.write(
      `pipelines: start ${took.toFixed(0)} ms; machine ${claim.toFixed(0)} ms, service ${service.toFixed(0)} ms\n`,
    )
    if (round < 0) continue
    samples.hearth.push(took)
    samples.floor.push(claim + service)
  }
  return {
    measure: 'start of a compiled pipeline',
    hearth: median(samples.hearth),
    floor: median(samples.floor),
    unit: 'ms',
    most: 1.3,
  }
}

const untilPipeline = (
  { service: { client } }: GuestService,
  id: string,
  wanted: (pipeline: Pipeline) => boolean,
) => until(client, 'the pipeline', () => client.pipelines.get(id), wanted, bootMilliseconds)

async function compile(guests: GuestService): Promise<string> {
  const { metadata } = await guests.service.client.pipelines.create({
    name: 'measured',
    spec: {
      environmentClass: guests.environmentClassId,
      program: { toolchain: 'sql', code: 'CREATE TABLE t (a INT);' },
      runtime: { storageMebibytes: 64 },
    },
  })
  await untilPipeline(guests, metadata.id, ({ status }) => status.program === 'success')
  return metadata.id
}

/** Starts the pipeline, and stops it again; says what was run. */
async function start(guests: GuestService, id: string) {
  const { client } = guests.service
  const began = performance.now()
  await client.pipelines.start(id)
  await untilPipeline(guests, id, ({ status }) => status.phase === 'running')
  const took = performance.now() - began
  const [running] = await client.services.listAll({})
  if (running === undefined) throw new Error('the pipeline has no service')
  const { command, variables } = running.spec
  await client.pipelines.stop(id, { force: true })
  await untilPipeline(guests, id, ({ status }) => status.phase === 'stopped')
  return { command, variables, took }
}

/** Milliseconds of a machine from the snapshot until it runs, and of the program in it until it says something. */
async function startByParts(guests: GuestService, command: string, variables: Record<string, string>) {
  const { client } = guests.service
  const [snapshot] = await client.snapshots.listAll({})
  if (snapshot === undefined) throw new Error('the pipeline has no snapshot')
  const began = performance.now()
  const { metadata } = await client.environments.create({
    spec: {
      projectId: snapshot.spec.projectId,
      environmentClassId: guests.environmentClassId,
      source: { snapshotId: snapshot.metadata.id, memory: true },
    },
  })
  const look = () => client.environments.get(metadata.id)
  const runs = ({ status }: Environment) => status.phase === 'running'
  const { status } = await until(client, 'the machine', look, runs, bootMilliseconds)
  if (status.startedFrom?.from !== 'memory')
    throw new Error(`the machine was not started from memory: ${status.startedFrom?.reason}`)
  const claimed = performance.now()
  const { metadata: made } = await client.services.create({
    name: 'measured',
    spec: { environment: metadata.id, command: `mkdir -p "$PIPELINE_VOLUME"\n${command}`, variables },
  })
  await untilSaid(guests, made.id)
  const said = performance.now()
  await client.environments.delete(metadata.id)
  return { claim: claimed - began, service: said - claimed }
}

async function untilSaid({ service: { client } }: GuestService, id: string): Promise<void> {
  const ending = new AbortController()
  let text = ''
  for await (const { text: more } of client.services.logs(id, { signal: ending.signal, follow: true })) {
    text += more
    if (text.includes('"status"')) return ending.abort()
  }
  throw new Error(`the service said nothing of its status: ${text}`)
}
