import { defaultCiLimits, type sessionCreateSchema } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../../api/command.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import { requireResource } from '../../quota/index.ts'
import { nextRevision, sessions } from '../queries.ts'
import { type SessionRow, toSession } from '../table.ts'
import { readReferences } from './references.ts'

/** How much of a project's name stands in the name of its session. */
const mostOfProject = 48

/** Opens a session. Whoever opens it renews it from then on, unless it is detached. */
export const createSession: Command<z.output<typeof sessionCreateSchema>, SessionRow> = {
  async run(tx, { services, caller }, { name, labels, spec, processId, leaseSeconds }) {
    const { organizationId, principalId: creator, limits } = caller
    const { projectName = 'session', columns } = await readReferences(tx, caller, spec)
    await requireResource(tx, organizationId, limits, 'sessions')
    const { file, exitCondition, ci, detached } = spec
    const now = services.clock.now()
    const id = newId()
    const row = await sessions.insert(
      tx,
      {
        id,
        organizationId,
        creator,
        name: name ?? `${projectName.slice(0, mostOfProject).replace(/-+$/, '')}-${id.slice(-6)}`,
        labels,
        spec: { file, exitCondition, ci: exitCondition === 'ci' ? (ci ?? defaultCiLimits) : null, detached },
      },
      {
        project_id: null,
        environment_id: null,
        claim_id: null,
        ...columns,
        phase: 'open',
        desired: 'open',
        phase_since: now,
        lease_ends_at: detached ? null : new Date(now.getTime() + leaseSeconds * 1_000),
        revision: await nextRevision(tx, organizationId),
        status: {
          processId,
          startedAt: now.toISOString(),
          reported: [],
          targets: [],
          done: false,
          error: null,
          failure: null,
          observedSpecVersion: 1,
        },
      },
    )
    await recordEvent(tx, 'created', toSession(row))
    await wake(tx, 'session', id)
    return row
  },
}
