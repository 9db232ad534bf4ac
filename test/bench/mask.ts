import { SecretMask, secretAutomaton } from '@hearth/runner-agent'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const bytes = 1024 * 1024
const chunkBytes = 32 * 1024
const runs = 9
const secrets = Array.from({ length: 1_000 }, (_, index) => `ghp_${index.toString(36).padStart(20, 'x')}`)

/**
 * Processor time to mask 1 MiB of a step's output with 1,000 secrets, of output without any and of output that is full
 * of their beginnings, each against a loop that only looks at every byte.
 */
export async function benchMask(): Promise<Row[]> {
  const automaton = await secretAutomaton(secrets)
  const row = (measure: string, text: string): Row => {
    const given = Buffer.alloc(bytes, text)
    const hearth = processorMilliseconds(() => {
      const mask = new SecretMask(automaton)
      for (let at = 0; at < bytes; at += chunkBytes) mask.push(given.subarray(at, at + chunkBytes))
      mask.end()
    })
    return { measure, hearth, floor: processorMilliseconds(() => lineEnds(given)), unit: 'ms', most: null }
  }
  const rows = [
    row('mask 1 MiB with 1,000 secrets, floor one look at each byte', 'hello world build output\n'),
    row('the same, full of beginnings of secrets', `ghp_xxxxxxxxxx ${secrets[1]?.slice(0, -1)} `),
  ]
  const slowest = Math.max(...rows.map(({ hearth }) => hearth))
  return [...rows, { measure: 'the slower of them', hearth: slowest, floor: null, unit: 'ms', most: 50 }]
}

function lineEnds(text: Buffer): number {
  let count = 0
  for (let index = 0; index < text.length; index += 1) if (text[index] === 10) count += 1
  return count
}

/** The median: other load on the host is not counted, but it still evicts caches. */
function processorMilliseconds(work: () => unknown): number {
  const samples = Array.from({ length: runs }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return median(samples)
}
