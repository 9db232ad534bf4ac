import type { HearthClient } from '@hearth/client'
import type { WarmPool } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import { waitUntil } from '../commands/waiting.ts'
import type { Invocation } from '../invocation.ts'
import { takeClaim } from '../ssh/take-claim.ts'
import { firstCommand } from './first-command.ts'

const emptyingSeconds = 120
const claimSeconds = 300

/**
 * Has a pool keep no machine ready for a while, and claims one of it: it is made for the claim, from the memory of the
 * pool's prebuild. Resolves with the milliseconds from the request to the end of the first command; null, after a note,
 * where the machine started from something slower.
 */
export async function claimOfEmptyPool(
  { metadata: { id }, spec }: WarmPool,
  repository: string | undefined,
  given: { client: HearthClient; stateFolder: string; invocation: Invocation },
): Promise<number | null> {
  const { client, stateFolder, invocation } = given
  const { terminal, signal, config } = invocation
  const { variables } = config
  const members = () => client.environments.listAll({ warmPoolId: id }, { signal })
  await client.warmPools.update(id, { spec: { min: 0 } }, { signal })
  try {
    await waitUntil(
      'the pool to be empty',
      async () => (await members()).every(({ status }) => status.claimId !== null),
      { seconds: emptyingSeconds, signal },
    )
    const { projectId: project, environmentClassId: environmentClass } = spec
    const started = performance.now()
    const { claim } = await takeClaim(
      client,
      { project, environmentClass, fallback: 'cold', waitSeconds: claimSeconds },
      { stateFolder, variables, signal },
    )
    await firstCommand(stateFolder, claim.metadata.id, repository, { variables, signal })
    const milliseconds = performance.now() - started
    const { status } = await client.environments.get(claim.status.environmentId ?? '', { signal })
    await client.claims.release(claim.metadata.id, { signal })
    if (status.startedFrom?.from === 'memory') return milliseconds
    terminal.note(`a claim of the empty pool did not start from memory: ${status.startedFrom?.reason ?? ''}`)
    return null
  } catch (error) {
    signal.throwIfAborted()
    terminal.note(`a claim of the empty pool could not be shown: ${toError(error).message}`)
    return null
  } finally {
    await client.warmPools.update(id, { spec: { min: spec.min } })
  }
}
