import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type EmbeddedNats, freePort, type NatsCluster, startNatsServer } from '@hearth/embedded'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { eventually } from './eventually.ts'
import { programsFolder, temporaryFolder } from './folder.ts'
import { guard } from './guardian.ts'

const size = 3
/** One for each server. */
interface Ports {
  clients: readonly number[]
  routes: readonly number[]
}

const patience = { timeoutMilliseconds: 60_000, intervalMilliseconds: 100 }

/** Three NATS servers that hold the streams together, with authorization. */
export interface TestNatsCluster extends AsyncDisposable {
  /** The same at any time, also of servers that are down. */
  readonly urls: readonly string[]
  controlPlaneCredentials: string
  accountSeed: string
  controlPlaneCredentialsFile: string
  accountSeedFile: string
  signingSeedFile: string
  systemCredentialsFile: string
  /** Kills a server as a crash would. */
  kill(index: number): Promise<void>
  /** Brings one that is down back on its store and ports. */
  start(index: number): Promise<void>
  /** The server that leads a stream at the moment; waits while there is none. */
  leaderOf(stream: string): Promise<number>
  /** Waits until every copy of every stream is there and up to date. */
  untilWhole(): Promise<void>
}

export async function startTestNatsCluster(): Promise<TestNatsCluster> {
  const folder = await temporaryFolder('nats-cluster')
  const ports = await choosePorts()
  const servers: EmbeddedNats[] = []
  for (let index = 0; index < size; index++) servers.push(await startMember(folder, index, ports))
  const {
    controlPlaneCredentialsFile = '',
    accountSeedFile = '',
    signingSeedFile = '',
    systemCredentialsFile = '',
  } = servers[0] ?? {}
  const urls = servers.map(({ url }) => url)
  const credentials = await readFile(controlPlaneCredentialsFile, 'utf8')
  const manage = <Result>(work: (connection: NatsConnection) => Promise<Result>) =>
    connected(urls, credentials, work)
  const streamsOf = async (connection: NatsConnection) => {
    const manager = await jetstreamManager(connection, { timeout: 2_000 })
    const found = await manager.streams.list().next()
    return Promise.all(found.map(({ config }) => manager.streams.info(config.name)))
  }
  await eventually(() => manage(streamsOf), patience)
  return {
    urls,
    controlPlaneCredentials: credentials,
    accountSeed: (await readFile(accountSeedFile, 'utf8')).trim(),
    controlPlaneCredentialsFile,
    accountSeedFile,
    signingSeedFile,
    systemCredentialsFile,
    async kill(index) {
      const server = memberAt(servers, index)
      process.kill(server.pid, 'SIGKILL')
      await server.stop()
    },
    async start(index) {
      servers[index] = await startMember(folder, index, ports)
    },
    leaderOf: (stream) =>
      manage((connection) =>
        eventually(async () => {
          const infos = await streamsOf(connection)
          const leader = infos.find(({ config }) => config.name === stream)?.cluster?.leader
          return leader === undefined ? undefined : { index: Number(leader.replace('nats-', '')) }
        }, patience),
      ).then(({ index }) => index),
    untilWhole: () =>
      manage(async (connection) => {
        await eventually(async () => {
          const infos = await streamsOf(connection)
          return infos.every(
            ({ cluster, config }) =>
              cluster?.leader !== undefined &&
              (cluster.replicas ?? []).length === config.num_replicas - 1 &&
              (cluster.replicas ?? []).every(({ current, offline }) => current && offline !== true),
          )
        }, patience)
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startMember(folder: string, index: number, ports: Ports): Promise<EmbeddedNats> {
  const own = join(folder, `nats-${index}`)
  await mkdir(own, { recursive: true, mode: 0o711 })
  // One operator for all: the first server makes it.
  if (index > 0) await copyFile(join(folder, 'nats-0', 'operator.json'), join(own, 'operator.json'))
  const cluster: NatsCluster = {
    serverName: `nats-${index}`,
    port: ports.routes[index] ?? 0,
    ports: ports.routes,
  }
  const server = await startNatsServer({
    folder: own,
    programs: await programsFolder(),
    log: () => undefined,
    authorization: true,
    cluster,
    port: ports.clients[index] ?? 0,
  })
  guard(server.pid, own)
  return server
}

function memberAt(servers: readonly EmbeddedNats[], index: number): EmbeddedNats {
  const server = servers[index]
  if (server === undefined) throw new Error(`the cluster has no server ${index}`)
  return server
}

async function connected<Result>(
  servers: string[],
  credentials: string,
  work: (connection: NatsConnection) => Promise<Result>,
): Promise<Result> {
  const authenticator = credsAuthenticator(new TextEncoder().encode(credentials))
  const connection = await connect({
    servers,
    authenticator,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  })
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** All chosen before the first server starts, so that none takes what is meant for another. */
async function choosePorts(): Promise<Ports> {
  const chosen = new Set<number>()
  while (chosen.size < 2 * size) chosen.add(await freePort())
  const ports = [...chosen]
  return { clients: ports.slice(0, size), routes: ports.slice(size) }
}
