import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { freePort } from '@hearth/embedded'
import { forwarded, startWebServer } from '../hardware/web-machine.ts'
import { until } from '../system/following.ts'
import { type GuestService, startGuestService } from './guest-service.ts'
import { latenciesOf, median } from './statistics.ts'
import { plain, type Row } from './table.ts'

const requests = 1_000
const rounds = 7
const mebibytes = 64
const bootMilliseconds = 600_000

/** A guest's port through its route against the same port reached from its host: how late answers are, and how fast much is. */
export async function benchRoute(): Promise<Row[]> {
  await using guests = await startGuestService(1, {
    HEARTH_INGRESS_DOMAIN: 'hearth.localhost',
    HEARTH_INGRESS_LISTEN: `127.0.0.1:${await freePort()}`,
    HEARTH_INGRESS_HTTP_LISTEN: 'none',
    HEARTH_INGRESS_STOPS: 'true',
  })
  const direct = await bootWebServer(guests)
  const { client } = guests.service
  const rows: Row[] = []
  for (const access of ['public', 'token'] as const) {
    const { metadata } = await client.routes.create({
      name: access,
      spec: { environment: machine, port: 3_000, access },
    })
    const look = () => client.routes.get(metadata.id)
    const { status } = await until(client, 'the route', look, ({ status }) => status.phase === 'active')
    const token = access === 'token' ? (await client.routes.token(metadata.id)).token : null
    const proxied = proxiedBy(guests, status.url ?? '', token)
    rows.push(...(await measureAnswers(direct, proxied, access)))
    if (access === 'public') rows.push(...(await measureBytes(direct, proxied)))
  }
  return rows
}

const machine = 'measured'

/** One kept connection, over which requests go one after another. */
interface Way {
  /** Resolves with the bytes of the answer. */
  get(path: string): Promise<number>
}

function way(module: typeof http | typeof https, options: https.RequestOptions): Way {
  const agent = new module.Agent({ keepAlive: true, maxSockets: 1 })
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        module
          .get({ ...options, path, agent }, (answer) => {
            let bytes = 0
            answer.on('data', (chunk: Buffer) => {
              bytes += chunk.length
            })
            answer.on('error', reject)
            answer.on('end', () =>
              answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${path}: ${answer.statusCode}`)),
            )
          })
          .on('error', reject)
      }),
  }
}

async function bootWebServer({ service, environmentClassId }: GuestService): Promise<Way> {
  const { client } = service
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'route' })
  const { metadata } = await client.environments.create({
    name: machine,
    spec: { projectId, environmentClassId },
  })
  const look = () => client.environments.get(metadata.id)
  const runs = ({ status }: { status: { phase: string } }) => status.phase === 'running'
  const { status } = await until(client, 'the machine', look, runs, bootMilliseconds)
  await startWebServer(service, machine, [3_000])
  const { hostname: host, port } = new URL(forwarded(status.address?.port ?? 0, 3_000))
  return way(http, { host, port })
}

function proxiedBy({ service }: GuestService, url: string, token: string | null): Way {
  const ca = readFileSync(join(service.folder, 'guests/ingress/data/pki/authorities/local/root.crt'))
  const { hostname: servername, port } = new URL(url)
  const headers = { host: servername, ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
  return way(https, { host: '127.0.0.1', port, servername, ca, headers })
}

async function measureAnswers(direct: Way, proxied: Way, access: string): Promise<Row[]> {
  const samples = { direct: [] as number[], proxied: [] as number[] }
  const ways = { direct, proxied }
  // A token is known to the host a moment after it was made.
  for (let tries = 0; tries < 100; tries += 1) if ((await proxied.get('/').catch(() => 0)) > 0) break
  for (let request = -50; request < requests; request += 1) {
    for (const name of ['direct', 'proxied'] as const) {
      const began = performance.now()
      await ways[name].get('/')
      if (request >= 0) samples[name].push(performance.now() - began)
    }
  }
  const [floor, hearth] = [latenciesOf(samples.direct, 1), latenciesOf(samples.proxied, 1)]
  return [
    { ...plain(`${access} route: added to an answer, median`, hearth.p50 - floor.p50, 'ms'), most: null },
    { ...plain(`${access} route: added to an answer, 99 of 100`, hearth.p99 - floor.p99, 'ms'), most: 2 },
    plain(`${access} route: an answer directly, 99 of 100`, floor.p99, 'ms'),
  ]
}

async function measureBytes(direct: Way, proxied: Way): Promise<Row[]> {
  const seconds = { direct: [] as number[], proxied: [] as number[] }
  const ways = { direct, proxied }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['direct', 'proxied'] as const) {
      const began = performance.now()
      const bytes = await ways[name].get(`/bytes/${mebibytes}`)
      if (bytes !== mebibytes * 1024 ** 2) throw new Error(`${bytes} bytes came`)
      seconds[name].push((performance.now() - began) / 1_000)
    }
  }
  const [floor, taken] = [median(seconds.direct), median(seconds.proxied)]
  return [
    { measure: `route: ${mebibytes} MiB`, hearth: taken, floor, unit: 's', most: 1.11 },
    { ...plain('route: a MiB', (taken / mebibytes) * 1_000, 'ms'), most: 100 },
  ]
}
