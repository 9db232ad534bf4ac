import type {
  Connection,
  certificateRequestSchema,
  environmentCreateSchema,
  environmentUpdateSchema,
} from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command } from '../../api/command.ts'
import { recordEvent } from '../../resource/record.ts'
import type { Force, OnOne } from '../../resource/routes.ts'
import { environmentClasses } from '../environment-class/index.ts'
import { projects } from '../project/index.ts'
import { enter } from './access/enter.ts'
import { createEnvironment as create } from './lifecycle/create.ts'
import { desireDeletion, desirePhase, setLabels } from './lifecycle/desire.ts'
import { forget } from './lifecycle/reconcile.ts'
import { retryEnvironment as retry } from './lifecycle/retry.ts'
import { environments } from './queries.ts'
import { type EnvironmentRow, toListedEnvironment } from './table.ts'

/** Creates one environment of a project, outside any pool. */
export const createEnvironment: Command<z.output<typeof environmentCreateSchema>, EnvironmentRow> = {
  async run(tx, { services, caller }, { name, labels, spec }) {
    const project = await projects.get(tx, caller, spec.projectId)
    if (project.phase === 'deleting')
      throw new HearthError('conflict', `project ${project.name} is being deleted`)
    return create(tx, {
      project,
      environmentClass: await environmentClasses.get(tx, caller, spec.environmentClassId),
      owner: null,
      claimId: null,
      creator: caller.principalId,
      limits: caller.limits,
      name,
      labels,
      now: services.clock.now(),
    })
  },
}

/** Stops or starts an environment, or changes its labels. */
export const changeEnvironment: Command<OnOne<z.output<typeof environmentUpdateSchema>>, EnvironmentRow> = {
  async run(tx, context, { reference, body }) {
    const row = await environments.lockForChange(tx, context, reference)
    const labelled = body.labels === undefined ? row : await setLabels(tx, row, body.labels)
    const desired = body.spec?.desiredPhase
    const changed =
      desired === undefined ? labelled : await desirePhase(tx, labelled, desired, context.caller.limits)
    if (changed === labelled && labelled !== row)
      await recordEvent(tx, 'updated', toListedEnvironment(labelled))
    return changed
  },
}

/** Deletes an environment; with `force` without waiting for its runner. */
export const deleteEnvironment: Command<OnOne<Force>, EnvironmentRow> = {
  async run(tx, context, { reference, body: { force } }) {
    const row = await environments.lockForChange(tx, context, reference)
    if (row.phase === 'deleted') return row
    const now = context.services.clock.now()
    const because = { reason: 'requested' as const, principalId: context.caller.principalId }
    const going = await desireDeletion(tx, row, because, now)
    return force ? forget(tx, going, now) : going
  },
}

/** Retries a failed environment; in any other phase the order is sent again and the environment reconciled at once. */
export const retryEnvironment: Command<OnOne, EnvironmentRow> = {
  async run(tx, context, { reference }) {
    const row = await environments.lockForChange(tx, context, reference)
    return retry(tx, row, context.caller.limits, context.services.clock.now())
  },
}

/** Signs a certificate with which the caller can log in to the guest. */
export const signEnvironmentCertificate: Command<
  OnOne<z.output<typeof certificateRequestSchema>>,
  Connection
> = {
  async run(tx, { services, caller }, { reference: id, body: { publicKey } }) {
    return enter(tx, services.authorities, caller, { id, publicKey }, services.clock.now())
  },
}
