import {
  nameSchema,
  runnerCreatedSchema,
  runnerCreateSchema,
  runnerTokenSchema,
  runnerUpdateSchema,
  runnerKind as words,
} from '@hearth/contract'
import { administrators } from '../../api/caller.ts'
import { idOrNameParams } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { credentials, registration } from './agent-routes.ts'
import { changeRunner, createRunner, createRunnerToken, deleteRunner } from './commands.ts'
import { presentRunnerIds, runners } from './queries.ts'
import { runnerReconciler } from './reconcile.ts'
import { showRunners } from './show.ts'
import { type RunnerRow, toRunner } from './table.ts'
import { explainRunner } from './why-queries.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: runners.find,
  show: async (queryable, row: RunnerRow) => (await showRunners(queryable, [row]))[0] ?? toRunner(row, 0),
  showListed: showRunners,
})

export const runnerKind: Kind = {
  name: 'runner',
  routes: [
    routes.list(
      { summary: 'List runners', description: 'Runners' },
      { name: nameSchema.optional() },
      (queryable, { name, ...page }) => runners.list(queryable, page, { name }),
    ),
    routes.create(
      {
        summary: 'Make a runner; the answer is the only one that holds its token',
        description: 'The runner and the token of its agent',
        roles: ['administrator', 'join'],
        body: runnerCreateSchema,
        schema: runnerCreatedSchema,
        value: ({ row, secret }) => ({ runner: toRunner(row, 0), token: secret }),
      },
      createRunner,
    ),
    routes.show({ summary: 'Show a runner', description: 'The runner' }),
    routes.why('Say in words why a runner is as it is', explainRunner),
    routes.update(
      {
        summary: 'Change a runner: labels, region, or scheduling (enabled, cordoned, draining)',
        description: 'The runner',
        roles: administrators,
        body: runnerUpdateSchema,
      },
      changeRunner,
    ),
    routes.remove(
      {
        summary: 'Remove a runner that has no environments; with force=true its environments are given up',
        description: 'The runner as it was',
        roles: administrators,
        takesForce: true,
        value: ({ row, environments }) => toRunner(row, environments),
      },
      deleteRunner,
    ),
    routes.action(
      'tokens',
      {
        summary: 'Make another token for the agent of a runner; the answer is the only one that holds it',
        description: 'The token',
        roles: administrators,
        schema: runnerTokenSchema,
        value: ({ secret }) => ({ token: secret }),
      },
      createRunnerToken,
    ),
    registration,
    credentials,
  ],
  reconcilers: (services) => [runnerReconciler(services)],
  async whenNatsReturns({ database, messaging }, signal) {
    for (const id of await presentRunnerIds(database)) {
      if (signal.aborted) return
      await messaging.ensureRunner(id)
    }
  },
  everyMinute: ({ revocations }) => revocations.revoke(),
}
