import { parseArgs } from 'node:util'
import { fuzzMessages } from './campaign.ts'

export async function run(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: { count: { type: 'string', default: '20000' }, seed: { type: 'string' } },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  console.info(`messages of a runner: ${values.count} from seed ${seed}`)
  const { sent, failures, calm, busy } = await fuzzMessages({
    count: Number(values.count),
    seed,
    tell: (line) => console.info(line),
  })
  console.info(`${sent} messages sent; a report took ${calm} ms before and ${busy} ms meanwhile`)
  console.info(`${failures.length} failures`)
  for (const failure of failures) console.info(`  ${failure}`)
  return failures.length === 0 ? 0 : 1
}
