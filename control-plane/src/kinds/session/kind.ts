import {
  idSchema,
  sessionCreateSchema,
  sessionPhaseSchema,
  sessionRenewalSchema,
  sessionUpdateSchema,
  targetReportsSchema,
  sessionKind as words,
} from '@hearth/contract'
import { writers } from '../../api/caller.ts'
import { idOrNameParams, nameQuery } from '../../api/lookup.ts'
import type { Kind } from '../../resource/define.ts'
import { routesOf } from '../../resource/routes.ts'
import { changeSession } from './commands/change.ts'
import { createSession } from './commands/create.ts'
import { deleteSession } from './commands/delete.ts'
import { renewSession } from './commands/renew.ts'
import { reportTargets } from './commands/report.ts'
import { forgetSessions } from './forget.ts'
import { sessions } from './queries.ts'
import { sessionReconciler } from './reconcile.ts'
import { toSession } from './table.ts'

const routes = routesOf({
  words,
  params: idOrNameParams,
  find: sessions.find,
  show: (_, row) => toSession(row),
})
const change = { description: 'The session', roles: writers }

export const sessionKind: Kind = {
  name: 'session',
  routes: [
    routes.list(
      { summary: 'List sessions: open ones, and those that ended in the last days', description: words.tag },
      {
        name: nameQuery,
        projectId: idSchema.optional(),
        environmentId: idSchema.optional(),
        claimId: idSchema.optional(),
        phase: sessionPhaseSchema.optional(),
      },
      (queryable, { name, projectId, environmentId, claimId, phase, ...page }) =>
        sessions.list(queryable, page, {
          name,
          project_id: projectId,
          environment_id: environmentId,
          claim_id: claimId,
          phase,
        }),
    ),
    routes.create(
      {
        ...change,
        summary: 'Open a session: one run of `hearth up` or of CI, which others can then follow',
        body: sessionCreateSchema,
      },
      createSession,
    ),
    routes.show({ summary: 'Show a session with its targets', description: 'The session' }),
    routes.update(
      {
        ...change,
        summary: 'Say what a session is about, let it go on without its caller, or end it',
        body: sessionUpdateSchema,
      },
      changeSession,
    ),
    routes.remove({ ...change, summary: 'Forget a session; what it is about goes on' }, deleteSession),
    routes.action(
      'renewals',
      {
        ...change,
        summary: 'The caller of a session still lives; without this word it ends when its lease does',
        body: sessionRenewalSchema,
      },
      renewSession,
    ),
    routes.action(
      'targets',
      {
        ...change,
        status: 200,
        summary:
          'Report what happens on the caller’s side; a target to come is to be reported as waiting before the one before it ends',
        body: targetReportsSchema,
      },
      reportTargets,
    ),
  ],
  reconcilers: () => [sessionReconciler],
  everyMinute: ({ database, clock }) => forgetSessions(database, clock),
}
