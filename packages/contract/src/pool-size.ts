import { z } from 'zod'

export const mostPoolSize = 1_000
export const poolSizeSchema = z.int().min(0).max(mostPoolSize)
/** Where the members of a pool wait that need not run. */
export const poolRestSchema = z.enum(['suspended', 'stopped', 'resumable'])
export type PoolRest = z.infer<typeof poolRestSchema>
export const wantedShareSchema = z.number().min(0.5).max(0.9999)

export interface PoolSizes {
  min: number
  max: number | null
  running: number | null
}

/** What is wrong with the sizes of a pool, by field; empty where nothing is. */
export function sizeFaults({ min, max, running }: PoolSizes): {
  field: 'min' | 'running'
  given: string
  expected: string
}[] {
  const most = max ?? min
  const faults: ReturnType<typeof sizeFaults> = []
  if (max !== null && min > max)
    faults.push({ field: 'min', given: String(min), expected: `at most max, which is ${max}` })
  if (running !== null && running > most) {
    const limit = max === null ? `min, which is ${min}` : `max, which is ${max}`
    faults.push({ field: 'running', given: String(running), expected: `at most ${limit}` })
  }
  return faults
}
