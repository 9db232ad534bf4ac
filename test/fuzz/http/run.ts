import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startReplicas } from '../../system/replicas.ts'
import { fuzzHttp } from './campaign.ts'
import { fuzzTarget, newBystander } from './target.ts'

const quietMilliseconds = 15_000
/** Latencies below this are noise of the host. */
const unrestMilliseconds = 10

interface Latency {
  median: number
  late: number
  count: number
}

/** `pnpm fuzz http --count 20000 --seed 7 --rate 100`: against a control plane in a process of its own. */
export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      count: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      rate: { type: 'string', default: '100' },
    },
  })
  const [count, seed, rate] = [Number(values.count), Number(values.seed), Number(values.rate)]
  console.info(`seed ${seed}, ${count} requests, at most ${rate} a second`)
  await using installation = await startReplicas(1)
  const { url, token, database } = installation
  await using target = await fuzzTarget({ url, token, databaseUrl: database.url })
  const bystander = await newBystander(url, token)
  const quiet = await measured(url, bystander, () => delay(quietMilliseconds))
  const began = performance.now()
  const pause = async (sent: number) => {
    if (sent % 2_000 === 0) console.info(`${sent} requests`)
    await delay(Math.max(0, began + (sent * 1_000) / rate - performance.now()))
  }
  const during = await measured(url, bystander, () => fuzzHttp(target, { count, seed, pause }))
  const { statuses, violations } = during.result
  console.info('statuses', statuses)
  console.info('another organization, quiet:', quiet.latency)
  console.info('another organization, meanwhile:', during.latency)
  for (const part of ['median', 'late'] as const) {
    const most = Math.max(2 * quiet.latency[part], unrestMilliseconds)
    if (during.latency[part] > most)
      violations.push(
        `another organization's ${part} latency: ${during.latency[part]} ms, at most ${most} ms`,
      )
  }
  for (const violation of violations) console.error(violation)
  console.info(`${violations.length} violations, seed ${seed}`)
  return violations.length === 0 ? 0 : 1
}

async function measured<Result>(url: string, token: string, work: () => Promise<Result>) {
  const program = join(import.meta.dirname, 'bystander.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, url, token], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const said = text(child.stdout)
  try {
    const result = await work()
    child.stdin.end()
    return { result, latency: JSON.parse(await said) as Latency }
  } finally {
    child.kill()
  }
}
