import type { EnvironmentClass, WarmPool } from '@hearth/contract'
import { expect, test } from 'vitest'
import { poolCosts } from './pool-costs.ts'

const medium = { spec: { memoryMebibytes: 4_096, diskGibibytes: 20 } } as EnvironmentClass
const none = { ready: 0, provisioning: 0, suspended: 0, stopped: 0, resumable: 0, claimed: 0 }
const pool = (counts: Partial<WarmPool['status']>) =>
  ({ spec: { enabled: true }, status: { ...none, ...counts } }) as WarmPool

test('each tier says what it costs: those at rest no memory, a suspended one its memory on disk', () => {
  const lines = poolCosts(pool({ ready: 2, suspended: 3, stopped: 1, resumable: 4, claimed: 1 }), medium)
  expect(lines.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['TIER', 'MACHINES', 'MEMORY', 'DISK, AT MOST'],
    ['running', '2', '8 GiB', '40 GiB'],
    ['suspended', '3', '0 GiB', '72 GiB'],
    ['stopped', '1', '0 GiB', '20 GiB'],
    ['resumable', '4', '0 GiB', '4 GiB on each runner, for all of them'],
    ['claimed', '1', '4 GiB', '20 GiB'],
  ])
})

test('a pool without machines costs nothing', () => {
  expect(poolCosts(pool({}), medium)).toBe('Costs:  nothing')
})
