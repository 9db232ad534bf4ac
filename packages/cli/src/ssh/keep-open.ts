import { toError } from '@hearth/foundation'
import { client, type Invocation } from '../invocation.ts'
import type { Access } from './access.ts'
import { openAccess } from './open-access.ts'

/** A test environment is kept alive by three requests in each keep time. */
const timesPerKeep = 3

/**
 * Runs the work; in an environment that tests a pool, requests a new certificate at intervals meanwhile, which keeps
 * the environment as long as somebody is in it.
 */
export async function keepOpen<Result>(
  invocation: Invocation,
  access: Access,
  work: () => Promise<Result>,
): Promise<Result> {
  const keepSeconds = access.kind === 'environment' ? await keepSecondsOf(invocation, access.id) : null
  if (keepSeconds === null) return await work()
  const renew = () =>
    openAccess(invocation, access.id, { renew: true }).catch((error: unknown) => {
      invocation.terminal.note(`the machine could not be kept longer: ${toError(error).message}`)
    })
  await renew()
  const timer = setInterval(() => void renew(), Math.max(500, (keepSeconds * 1_000) / timesPerKeep))
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

async function keepSecondsOf(invocation: Invocation, id: string): Promise<number | null> {
  const { spec } = await client(invocation).environments.get(id, { signal: invocation.signal })
  return spec.test?.keepSeconds ?? null
}
