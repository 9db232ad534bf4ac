import {
  certificateRequestSchema,
  connectionSchema,
  environmentCreateSchema,
  environmentPhaseSchema,
  environmentUpdateSchema,
  extendSchema,
  idSchema,
  logTokenSchema,
  environmentKind as words,
} from '@hearth/contract'
import { readers, writers } from '../../api/caller.ts'
import { idOrSharedNameParams, nameQuery } from '../../api/lookup.ts'
import type { DatabaseTransaction } from '../../database/connection.ts'
import type { Kind } from '../../resource/define.ts'
import { recordSince } from '../../resource/retention.ts'
import { routesOf } from '../../resource/routes.ts'
import { logRoute, openLogRoute } from './access/logs.ts'
import { callRoutes } from './call/routes.ts'
import { changeEnvironment } from './commands/change.ts'
import { createEnvironment } from './commands/create.ts'
import { deleteEnvironment } from './commands/delete.ts'
import { extendEnvironment, useEnvironment } from './commands/live.ts'
import { createEnvironmentLogToken } from './commands/log-token.ts'
import { retryEnvironment } from './commands/retry.ts'
import { signEnvironmentCertificate } from './commands/sign-certificate.ts'
import { wakeLivesAhead } from './life/ahead.ts'
import { activity, extension } from './life/wording.ts'
import { environmentReconciler } from './lifecycle/reconcile.ts'
import { placementReconciler } from './placing/reconcile.ts'
import { environments, findEnvironment, forgetDeletedEnvironments, withPlan } from './queries.ts'
import { type EnvironmentRow, toEnvironment, toListedEnvironment } from './table.ts'
import { explainEnvironment } from './why/why-queries.ts'
import { environmentWorkKind } from './work/kind.ts'

const routes = routesOf({
  words,
  params: idOrSharedNameParams,
  find: findEnvironment,
  show: (_, row) => toEnvironment(row),
  showListed: (_, rows: readonly EnvironmentRow[]) => rows.map(toListedEnvironment),
})
const change = {
  description: 'The environment',
  roles: writers,
  value: async (row: EnvironmentRow, tx: DatabaseTransaction) => toEnvironment(await withPlan(tx, row)),
}

export const environmentKind: Kind = {
  name: 'environment',
  routes: [
    routes.list(
      { summary: 'List environments; deleted ones only with phase=deleted', description: 'Environments' },
      {
        name: nameQuery,
        projectId: idSchema.optional(),
        warmPoolId: idSchema.optional(),
        runnerId: idSchema.optional(),
        claimId: idSchema.optional(),
        phase: environmentPhaseSchema.optional(),
      },
      (queryable, { name, projectId, warmPoolId, runnerId, claimId, phase, ...page }) =>
        environments.list(queryable, page, {
          name,
          project_id: projectId,
          owner_kind: warmPoolId === undefined ? undefined : 'warm-pool',
          owner_id: warmPoolId,
          runner_id: runnerId,
          claim_id: claimId,
          phase,
        }),
    ),
    routes.create(
      {
        ...change,
        summary: 'Make one environment of a project, outside any pool',
        description: 'The environment, pending',
        body: environmentCreateSchema,
      },
      createEnvironment,
    ),
    routes.show({ summary: 'Show an environment with its steps', description: 'The environment' }),
    routes.update(
      {
        ...change,
        summary: 'Stop or start an environment, or change its labels',
        body: environmentUpdateSchema,
      },
      changeEnvironment,
    ),
    routes.remove(
      {
        ...change,
        summary:
          'Delete an environment; force=true ends it here without waiting for its runner, which removes it when it can',
        description: 'The environment, going',
        status: 202,
        takesForce: true,
      },
      deleteEnvironment,
    ),
    routes.action(
      'retry',
      {
        ...change,
        summary: 'Try a failed environment once more; anything else is ordered again and looked at at once',
        status: 202,
      },
      retryEnvironment,
    ),
    routes.action('extend', { ...change, ...extension, body: extendSchema }, extendEnvironment),
    routes.action('activity', { ...change, ...activity }, useEnvironment),
    routes.action(
      'certificates',
      {
        summary: 'Sign a certificate for one’s public key, with which the guest lets one in',
        description: 'Address, pinned host key and certificate',
        roles: writers,
        body: certificateRequestSchema,
        schema: connectionSchema,
        value: (connection) => connection,
      },
      signEnvironmentCertificate,
    ),
    routes.why('Say in words why an environment is as it is', explainEnvironment),
    routes.action(
      'log-token',
      {
        summary: 'Make a token that reads the logs of this environment, and nothing else, for one hour',
        description: 'The token',
        roles: readers,
        schema: logTokenSchema,
        value: (token) => token,
      },
      createEnvironmentLogToken,
    ),
    logRoute,
    ...callRoutes,
  ],
  openRoutes: [openLogRoute],
  work: environmentWorkKind,
  reconcilers: () => [environmentReconciler, placementReconciler],
  whenClockGoesBack: ({ database, clock }) => wakeLivesAhead(database, clock.now()),
  everyHour: ({ database, clock }) => forgetDeletedEnvironments(database, recordSince(clock.now())),
}
