import { setTimeout as delay } from 'node:timers/promises'
import type { HearthClient } from '@hearth/client'
import type { Claim } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { newPublicKey } from './public-key.ts'

export interface Claimed {
  claims: Claim[]
  failures: Error[]
  /** Time from each request to its answer, retries included. */
  milliseconds: number[]
}

/** Callers that claim from one pool, one after another, with a pause between, until the signal aborts. */
export async function claimSteadily(
  clients: readonly HearthClient[],
  warmPoolId: string,
  pauseMilliseconds: number,
  signal: AbortSignal,
): Promise<Claimed> {
  const claimed: Claimed = { claims: [], failures: [], milliseconds: [] }
  const publicKey = newPublicKey()
  const claimOn = async (client: HearthClient) => {
    while (!signal.aborted) {
      const started = performance.now()
      try {
        claimed.claims.push(await client.claims.create({ spec: { warmPoolId, fallback: 'cold', publicKey } }))
      } catch (error) {
        claimed.failures.push(toError(error))
      }
      claimed.milliseconds.push(performance.now() - started)
      await delay(pauseMilliseconds, undefined, { signal }).catch(() => undefined)
    }
  }
  await Promise.all(clients.map(claimOn))
  return claimed
}

/** Waits until every claim has its machine, and returns the machines. */
export async function machinesOf(client: HearthClient, claims: readonly Claim[]): Promise<string[]> {
  const machines: string[] = []
  for (let { metadata, status } of claims) {
    for (let tries = 0; status.phase === 'pending' && tries < 20; tries++)
      ({ metadata, status } = await client.claims.wait(metadata.id, 10))
    if (status.environmentId === null)
      throw new Error(`claim ${metadata.id} is ${status.phase}, without a machine`)
    machines.push(status.environmentId)
  }
  return machines
}

/** The figures of a run in one line. */
export function summaryOf({ claims, failures, milliseconds }: Claimed): string {
  const sorted = milliseconds.toSorted((one, other) => one - other)
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN)
  return `${claims.length} claims, ${failures.length} failed; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`
}
