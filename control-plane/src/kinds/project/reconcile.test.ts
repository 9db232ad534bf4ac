import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { secondsAgo } from '../world.fixture.ts'
import { projectReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const row = await database.selectFrom('projects').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) return 'gone'
  const { failure = null, deadline = null } = row.status
  return { phase: row.phase, hasDeadline: deadline !== null, failure: failure?.code ?? null }
}
const common = { reconciler: projectReconciler, outcome }

describeReconciler('project', [
  {
    ...common,
    name: 'removes a project of which nothing is left',
    arrange: (party) => party.project({ phase: 'deleting' }),
    expected: 'gone',
  },
  {
    ...common,
    name: 'waits for what is left of one, until a deadline',
    async arrange(party) {
      const id = await party.project({ phase: 'deleting' })
      await party.environment(await party.pool(id), 'running')
      return id
    },
    expected: { phase: 'deleting', hasDeadline: true, failure: null },
  },
  {
    ...common,
    name: 'says what keeps one whose deadline has passed',
    async arrange(party) {
      const status = JSON.stringify({ deadline: secondsAgo(1).toISOString() })
      const id = await party.project({ phase: 'deleting', status })
      await party.environment(await party.pool(id), 'running')
      return id
    },
    expected: { phase: 'deleting', hasDeadline: true, failure: 'deadline_passed' },
  },
])
