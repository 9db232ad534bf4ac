import { readFileSync } from 'node:fs'
import { environmentOrderSchema, subjects } from '@hearth/contract'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import pg from 'pg'
import { untilPool } from '../system/following.ts'
import { watchDisk } from './disk.ts'
import { untilRest } from './rest.ts'
import { type Service, startService } from './service.ts'
import { latenciesOf } from './statistics.ts'
import type { Row } from './table.ts'

const pools = 100
const changes = 300
const changesOnHeels = 500
const restMilliseconds = 120_000

/**
 * From a PATCH of a pool's commands to the resulting work order, with a hundred ready pools: when all work of the
 * previous change is done, and while the machine that it replaced is still being removed.
 */
export async function benchPatch(): Promise<Row[]> {
  await using service = await startService()
  const { client } = service
  await service.startAgent('patched', {
    HEARTH_AGENT_HOST: 'synthetic',
    HEARTH_LOG_LEVEL: 'warn',
    HEARTH_SYNTHETIC_CREATE_MILLISECONDS: '1',
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: '5',
    HEARTH_SYNTHETIC_STEP_MILLISECONDS: '2',
  })
  const ids: string[] = []
  for (let index = 0; index < pools; index += 1) {
    const { warmPools } = await client.apply({
      apiVersion: 'hearth/v1',
      name: `patched-${index}`,
      warmPools: [{ environmentClass: 'small', min: 1 }],
    })
    ids.push(warmPools[0]?.id ?? '')
  }
  const ready = (id: string) => untilPool(client, id, ({ status }) => status.phase === 'ready')
  await Promise.all(ids.map(ready))
  await using orders = await followOrders(service)
  await orders.untilRest()
  let change = 0
  const measure = async (): Promise<number> => {
    const id = ids[change % pools] ?? ''
    const command = `echo change ${change}`
    change += 1
    const received = orders.received(command)
    const began = performance.now()
    await client.warmPools.update(id, { spec: { setup: [command] } })
    const took = (await received) - began
    await ready(id)
    return took
  }
  await using disk = await watchDisk(service.folder)
  const settled: number[] = []
  while (settled.length < changes) {
    settled.push(await measure())
    await orders.untilRest()
  }
  const onHeels: number[] = []
  while (onHeels.length < changesOnHeels) onHeels.push(await measure())
  const name = `change to work order, ${pools} pools`
  return [...rows(name, settled), ...rows(`${name}, one on the heels of the other`, onHeels), ...disk.rows()]
}

function rows(name: string, samples: readonly number[]): Row[] {
  const { p50, p99 } = latenciesOf(samples, 1)
  const row = { floor: null, unit: 'ms' }
  return [
    { measure: `${name}, p50`, hearth: p50, ...row, most: null },
    { measure: `${name}, p99`, hearth: p99, ...row, most: 100 },
  ]
}

/** Receives the orders on their way to the runner. */
async function followOrders({ nats, databaseUrl }: Service) {
  const authenticator = credsAuthenticator(readFileSync(nats.credentialsFile))
  const connection = await connect({ servers: nats.url, authenticator })
  const waiting = new Map<string, (time: number) => void>()
  connection.subscribe(subjects.allWork, {
    callback: (error, message) => {
      if (error !== null) throw error
      const { plan } = environmentOrderSchema.parse(message.json())
      for (const { command } of plan.warmPoolSetup) waiting.get(command)?.(performance.now())
    },
  })
  await connection.flush()
  const database = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  return {
    received: (command: string) => new Promise<number>((resolve) => waiting.set(command, resolve)),
    /** The pools were just created; the rest of that work is not measured. */
    untilRest: () => untilRest(database, connection, new Date(0), restMilliseconds),
    async [Symbol.asyncDispose]() {
      await connection.close()
      await database.end()
    },
  }
}
