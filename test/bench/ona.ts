import { type Agent, type ClientRequest, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import { createClient, type Interceptor } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { CreateEnvironmentFromProjectRequestSchema } from '@hearth/control-plane/ona/gitpod/v1/environment_pb'
import { EventService, ResourceType } from '@hearth/control-plane/ona/gitpod/v1/event_pb'
import { claimOverHttp, requireServed } from './http-claim.ts'
import { type PoolGround, startPoolGround } from './pool-ground.ts'
import { residentMebibytes } from './service.ts'
import { latenciesOf, median } from './statistics.ts'
import { plain, type Row } from './table.ts'

const claimsEach = 60
const mostRatio = 1.3
const changes = 200
const changeMilliseconds = 20
const mostLateMilliseconds = 100
const watchers = 200
const mostMebibytes = 100
/** For what a request left behind to be collected, and what was opened to settle. */
const settleMilliseconds = 5_000

/** Ona's dialect against the native interface, over the same machines in the same run. */
export async function benchOna(): Promise<Row[]> {
  await using ground = await startPoolGround()
  const poolId = await ground.makePool('ona', { min: 4 * claimsEach })
  await ground.untilReady(4 * claimsEach)
  const { metadata, spec } = await ground.service.client.warmPools.get(poolId)
  const rows = await measureClaims(ground, { poolId, projectId: spec.projectId })
  rows.push(...(await measureEvents(ground, metadata.id)))
  rows.push(...(await measureWatchers(ground)))
  return rows
}

async function measureClaims(
  { claimant }: PoolGround,
  { poolId, projectId }: { poolId: string; projectId: string },
): Promise<Row[]> {
  const spec = { sshPublicKeys: [{ id: 'measured', value: claimant.publicKey }] }
  const json = Buffer.from(JSON.stringify({ projectId, spec }))
  const message = create(CreateEnvironmentFromProjectRequestSchema, { projectId, spec })
  const binary = toBinary(CreateEnvironmentFromProjectRequestSchema, message)
  const { agent, url, token } = claimant
  const ona = async (type: string, body: Uint8Array) => {
    const path = '/ona/gitpod.v1.EnvironmentService/CreateEnvironmentFromProject'
    const status = await post(agent, `${url}${path}`, { token, type }, body)
    if (status !== 200) throw new Error(`the claim answered ${status}`)
  }
  const ways = {
    native: async () => requireServed(await claimOverHttp(claimant, { warmPoolId: poolId })),
    json: () => ona('application/json', json),
    binary: () => ona('application/proto', binary),
  }
  const samples = { native: [] as number[], json: [] as number[], binary: [] as number[] }
  for (let round = 0; round < claimsEach; round += 1)
    for (const way of ['native', 'json', 'binary'] as const) {
      const began = performance.now()
      await ways[way]()
      samples[way].push(performance.now() - began)
    }
  const floor = median(samples.native)
  const row = (format: string, values: readonly number[]): Row => ({
    measure: `a claim by Ona's client, ${format}`,
    hearth: median(values),
    floor,
    unit: 'ms',
    most: mostRatio,
  })
  return [row('JSON', samples.json), row('binary', samples.binary)]
}

/** Resolves with the status when the answer has been read. */
function post(
  agent: Agent,
  url: string,
  { token, type }: { token: string; type: string },
  body: Uint8Array,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type, 'Content-Length': body.length }
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.resume()
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** By how much later an event comes from the dialect than from the native stream. */
async function measureEvents({ service }: PoolGround, poolId: string): Promise<Row[]> {
  const { client, url, token } = service
  const ended = new AbortController()
  const { signal } = ended
  const [native, ona]: [number[], number[]] = [[], []]
  const authorize: Interceptor = (next) => (sent) => {
    sent.header.set('Authorization', `Bearer ${token}`)
    return next(sent)
  }
  const transport = createConnectTransport({
    baseUrl: `${url}/ona`,
    useBinaryFormat: true,
    interceptors: [authorize],
  })
  const filter = [{ resourceType: ResourceType.WARM_POOL, resourceIds: [poolId], creatorIds: [] }]
  const watching = createClient(EventService, transport).watchEvents(
    { scope: { case: 'organization', value: true }, resourceTypeFilters: filter },
    { signal },
  )
  const followed = Promise.allSettled([
    read(watching, ona),
    read(client.events.follow({ signal, kind: 'WarmPool', resourceId: poolId }), native),
  ])
  await delay(settleMilliseconds)
  for (let change = 0; change < changes; change += 1) {
    await client.warmPools.update(poolId, { labels: { change: String(change) } })
    await delay(changeMilliseconds)
  }
  await delay(settleMilliseconds)
  ended.abort()
  await followed
  if (ona.length !== native.length || ona.length < changes)
    throw new Error(`${ona.length} events came by the dialect, ${native.length} by the native stream`)
  const { p50, p99 } = latenciesOf(
    ona.map((at, index) => at - (native[index] ?? 0)),
    1,
  )
  return [
    plain('an event by WatchEvents, later than natively, p50', p50, 'ms'),
    { ...plain('an event by WatchEvents, later than natively, p99', p99, 'ms'), most: mostLateMilliseconds },
  ]
}

async function read(events: AsyncIterable<unknown>, arrivals: number[]): Promise<void> {
  for await (const _ of events) arrivals.push(performance.now())
}

async function measureWatchers({ service }: PoolGround): Promise<Row[]> {
  await delay(settleMilliseconds)
  const before = residentMebibytes(service.controlPlane)
  const open = await Promise.all(Array.from({ length: watchers }, () => watch(service.url, service.token)))
  await delay(settleMilliseconds)
  const more = residentMebibytes(service.controlPlane) - before
  for (const each of open) each.destroy()
  return [{ ...plain(`memory of ${watchers} watchers`, more, 'MiB'), most: mostMebibytes }]
}

/** Resolves when the stream is open. */
function watch(url: string, token: string): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/jsonl' }
    const sent = request(`${url}/ona/gitpod.v1.EventService/WatchEvents`, {
      method: 'POST',
      agent: false,
      headers,
    })
    sent.on('response', (response) => {
      response.on('error', () => undefined)
      response.resume()
      if (response.statusCode === 200) resolve(sent)
      else reject(new Error(`a watcher was answered ${response.statusCode}`))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ organization: true }))
  })
}
