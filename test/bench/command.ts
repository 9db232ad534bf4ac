import { join } from 'node:path'
import type { Address } from '@hearth/contract'
import { newKeyPair, secureShell } from '../hardware/secure-shell.ts'
import { until } from '../system/following.ts'
import { startGuestService } from './guest-service.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 5
const fillMilliseconds = 600_000

/** A claim and its first command over SSH against a bare `ssh` with a key to the same guest. */
export async function benchFirstCommand(): Promise<Row[]> {
  // The host has no room for another machine: a refill that boots meanwhile would be measured too.
  await using guests = await startGuestService(rounds)
  const { client } = guests.service
  const { publicKey, path } = await newKeyPair(join(guests.folder, 'keys'), 'claimant')
  const { warmPools } = await client.apply({
    apiVersion: 'hearth/v1',
    name: 'command',
    warmPools: [{ environmentClass: 'measured', min: rounds }],
  })
  const pool = warmPools[0]?.id ?? ''
  const filled = ({ status }: { status: { ready: number } }) => status.ready === rounds
  await until(client, 'the pool', () => client.warmPools.get(pool), filled, fillMilliseconds)
  const samples = { hearth: [] as number[], claim: [] as number[], bare: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    const claim = await client.claims.create({ spec: { warmPoolId: pool, fallback: 'refuse', publicKey } })
    const claimed = performance.now()
    const { connection } = claim.status
    if (connection === null) throw new Error('the claim has no connection')
    const { address, certificate } = connection
    await enter(address, { keyPath: path, certificate })
    const entered = performance.now()
    await enter(address, { keyPath: guests.agentKeyPath })
    samples.bare.push(performance.now() - entered)
    samples.claim.push(claimed - began)
    samples.hearth.push(entered - began)
  }
  const unit = 'ms'
  return [
    { measure: 'claim a real machine', hearth: median(samples.claim), floor: null, unit, most: null },
    {
      measure: 'claim to first command',
      hearth: median(samples.hearth),
      floor: median(samples.bare),
      unit,
      most: null,
    },
  ]
}

async function enter(address: Address, login: { keyPath: string; certificate?: string }): Promise<void> {
  const { exitCode, stderr } = await secureShell(address, login, 'true')
  if (exitCode !== 0) throw new Error(`ssh exited with ${exitCode}: ${stderr}`)
}
