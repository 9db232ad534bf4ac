import { mostRunnerTokens, type runnerCreateSchema, type runnerUpdateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { wakeAll, wakeMany } from '../../reconciling/wake.ts'
import { given, newResource } from '../../resource/change.ts'
import { recordEvent } from '../../resource/record.ts'
import type { Force, OnOne } from '../../resource/routes.ts'
import { requireResource } from '../quota/index.ts'
import { createPrincipal, createToken, deleteTokensOfRunner, principalsOfRunner } from '../token/index.ts'
import {
  countEnvironments,
  environmentIdsOn,
  ownersToWake,
  runners,
  setRunnerStatus,
  snapshotIdsOn,
} from './queries.ts'
import { settleRunner } from './settle.ts'
import { type RunnerRow, toRunner } from './table.ts'

/** Makes a runner and its agent's token, whose secret is in this outcome alone. */
export const createRunner: Command<
  z.output<typeof runnerCreateSchema>,
  { row: RunnerRow; secret: string }
> = {
  async run(tx, { caller }, body) {
    const { organizationId, limits } = caller
    await requireResource(tx, organizationId, limits, 'runners')
    const row = await runners.insert(tx, newResource(caller, body), {
      status: { facts: null, observedSpecVersion: 0 },
      phase: 'created',
    })
    const { secret } = await tokenFor(tx, row)
    await recordEvent(tx, 'created', toRunner(row, 0))
    return { row, secret }
  },
}

/** Makes another token for a runner's agent, as for a host that is set up anew. Those that it has stay good. */
export const createRunnerToken: Command<OnOne, { secret: string }> = {
  async run(tx, context, { reference }) {
    const row = await runners.lockForChange(tx, context, reference)
    if (row.phase === 'deleted') throw new HearthError('conflict', `runner ${row.name} is deleted`)
    const held = await principalsOfRunner(tx, row.id)
    if (held.length >= mostRunnerTokens)
      throw new HearthError(
        'conflict',
        `runner ${row.name} has ${held.length} tokens: delete one of them first, as by \`hearth token delete\``,
      )
    return tokenFor(tx, row, held[0])
  },
}

async function tokenFor(tx: DatabaseTransaction, row: RunnerRow, principalId?: string) {
  const { id, name, organization_id: organizationId } = row
  const principal = { organization_id: organizationId, kind: 'runner' as const, name }
  return createToken(tx, {
    organizationId,
    principalId: principalId ?? (await createPrincipal(tx, principal)),
    runnerId: id,
    name: `runner-${name}`,
    roles: ['runner'],
  })
}

/** Changes labels, region or scheduling, and the phase that follows from them. */
export const changeRunner: Command<OnOne<z.output<typeof runnerUpdateSchema>>, RunnerRow> = {
  async run(tx, context, { reference, body }) {
    const { clock, listening, timings } = context.services
    const row = await runners.lockForChange(tx, context, reference)
    const spec = { ...row.spec, ...given(body.spec) }
    const changed = await runners.changeSpec(tx, row.id, { labels: body.labels ?? row.labels, spec })
    const circumstances = {
      now: clock.now(),
      listeningSince: listening.since,
      leaseMilliseconds: timings.runnerLease,
    }
    return (await settleRunner(tx, changed, {}, circumstances)).row
  },
}

/** Deletes a runner without environments; with `force` its environments are given up. */
export const deleteRunner: Command<OnOne<Force>, { row: RunnerRow; environments: number }> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await runners.lockForChange(tx, context, reference)
    const environments = (await countEnvironments(tx, [row.id])).get(row.id) ?? 0
    if (environments > 0 && !force) {
      throw new HearthError(
        'conflict',
        `${environments} environments are on ${row.name}: drain it first, or use force=true`,
      )
    }
    await deleteTokensOfRunner(tx, row.id)
    const deletedAt = context.services.clock.now()
    const gone = await setRunnerStatus(tx, row, { phase: 'deleted', deletedAt })
    await wakeAll(tx, 'environment', await environmentIdsOn(tx, gone.id))
    await wakeAll(tx, 'snapshot', await snapshotIdsOn(tx, gone.id))
    await wakeMany(tx, await ownersToWake(tx, gone.id))
    await recordEvent(tx, 'deleted', toRunner(gone, environments))
    return { row: gone, environments }
  },
  async afterCommit({ services: { revocations, messaging } }, { row }) {
    await revocations.revoke()
    await messaging.removeRunner(row.id)
  },
}
