import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { HearthClient } from '@hearth/client'
import { warmPoolSchema } from '@hearth/contract'
import { startGuestService } from './guest-service.ts'
import { residentMebibytes } from './service.ts'
import type { Row } from './table.ts'

const environments = 1_000
const fillMilliseconds = 1_200_000
const most = 200
/** How long the memory of a process is sampled; the highest value counts. */
const watchedSeconds = 10

/** Resident memory of both programs with nothing to do, and with a thousand synthetic machines. */
export async function benchMemory(): Promise<Row[]> {
  await using guests = await startGuestService(1)
  const { agent, service } = guests
  const idle = { controlPlane: await highest(service.controlPlane), agent: await highest(agent) }
  const synthetic = await service.startAgent('synthetic', { HEARTH_AGENT_HOST: 'synthetic' })
  const { warmPools } = await service.client.apply({
    apiVersion: 'hearth/v1',
    name: 'memory',
    warmPools: [{ environmentClass: 'small', min: environments }],
  })
  await filled(service.client, warmPools[0]?.id ?? '')
  const full = { controlPlane: await highest(service.controlPlane), agent: await highest(synthetic) }
  const row = (measure: string, hearth: number, limit: number | null): Row => ({
    measure: `memory, ${measure}`,
    hearth,
    floor: null,
    unit: 'MiB',
    most: limit,
  })
  return [
    row('control plane idle', idle.controlPlane, most),
    row('agent idle', idle.agent, most),
    row(`control plane, ${environments} machines`, full.controlPlane, null),
    row(`agent, ${environments} machines`, full.agent, null),
  ]
}

async function highest(process: ChildProcess): Promise<number> {
  let seen = 0
  for (let second = 0; second < watchedSeconds; second += 1) {
    seen = Math.max(seen, residentMebibytes(process))
    await delay(1_000)
  }
  return seen
}

/** The pool's events contain the pool, so nothing else is requested. */
async function filled(client: HearthClient, id: string): Promise<void> {
  const signal = AbortSignal.timeout(fillMilliseconds)
  let last = 0
  for await (const event of client.events.follow({ signal, after: 0, kind: 'WarmPool', resourceId: id })) {
    last = warmPoolSchema.parse(event.resource).status.ready
    if (last >= environments) return
  }
  throw new Error(`only ${last} machines were ready in time`)
}
