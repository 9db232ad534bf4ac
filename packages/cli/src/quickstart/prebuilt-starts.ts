import type { HearthClient } from '@hearth/client'
import type { Environment } from '@hearth/contract'
import { waitUntil } from '../commands/waiting.ts'
import { followBoot } from '../following/follow-boot.ts'
import { followPrebuilds } from '../following/follow-prebuilds.ts'
import { followTemplate } from '../following/follow-template.ts'
import type { PoolState } from '../following/pool-state.ts'
import type { Invocation } from '../invocation.ts'
import type { PrebuiltStarts } from './measurements.ts'

/** How long the prebuild may take with the memory that is kept of it. */
const prebuildMilliseconds = 15 * 60_000
const replacementSeconds = 300

/**
 * Makes a prebuild of the pool's project, starts a machine from its disk, and has the pool make a member, which starts
 * from the memory that is kept of it. Null for a start that is not possible, after a note that says why.
 */
export async function startPrebuilt(
  { pool }: PoolState,
  invocation: Invocation,
  hearth: HearthClient,
): Promise<Pick<PrebuiltStarts, 'disk' | 'memory'>> {
  const { projectId, environmentClassId } = pool.spec
  const { terminal, clock } = invocation
  const signal = AbortSignal.any([invocation.signal, AbortSignal.timeout(prebuildMilliseconds)])
  const following = { terminal, clock, signal }
  const made = await hearth.prebuilds.create({ spec: { projectId, environmentClassId } }, { signal })
  const [ended = made] = await followPrebuilds(hearth, [made], following)
  const prebuild = ended.status.phase === 'completed' ? await followTemplate(hearth, ended, following) : ended
  const { snapshotId, phase, failure } = prebuild.status
  if (phase !== 'completed' || snapshotId === null) {
    terminal.note(`nothing starts from the prebuild: ${failure?.message ?? `it is ${phase}`}`)
    return { disk: null, memory: null }
  }
  const start = async (environment: Environment, from: 'disk' | 'memory'): Promise<Environment | null> => {
    const title = `a machine from the ${from} of the prebuild`
    const { status, ...rest } = await followBoot(hearth, environment, title, following)
    if (status.phase === 'running' && status.startedFrom?.from === from) return { status, ...rest }
    const because = status.failure?.message ?? status.startedFrom?.reason ?? 'nothing says why'
    terminal.note(`${title} did not start from that: ${because}`)
    return null
  }
  const spec = { projectId, environmentClassId, source: { snapshotId, memory: false } }
  const alone = await hearth.environments.create({ spec }, { signal })
  const disk = await start(alone, 'disk')
  await hearth.environments.delete(alone.metadata.id, { signal })
  const member = await newMember(pool, hearth, signal)
  return { disk, memory: await start(member, 'memory') }
}

/** Takes a member of a pool that is full, and returns the one that the pool makes in its place. */
async function newMember(
  { metadata }: PoolState['pool'],
  hearth: HearthClient,
  signal: AbortSignal,
): Promise<Environment> {
  const members = () => hearth.environments.listAll({ warmPoolId: metadata.id }, { signal })
  const isReady = ({ status }: Environment) => status.phase === 'running' && status.claimId === null
  const seconds = replacementSeconds
  await waitUntil('the pool to be full', async () => (await members()).some(isReady), { seconds, signal })
  const before = new Set((await members()).map((member) => member.metadata.id))
  const spec = { warmPoolId: metadata.id, fallback: 'refuse' as const }
  const claim = await hearth.claims.create({ spec }, { signal })
  let made: Environment | undefined
  await waitUntil(
    'the pool to make another member',
    async () => {
      made = (await members()).find((member) => !before.has(member.metadata.id))
      return made !== undefined
    },
    { seconds, signal },
  )
  await hearth.claims.release(claim.metadata.id, { signal })
  return made as Environment
}
