import { describeReconciler, type Scenario } from '../../reconciled.fixture.ts'
import { placementReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, organizationId) => {
  const rows = await database
    .selectFrom('environments')
    .select(['phase', 'runner_id', 'status'])
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute()
  const orders = await database
    .selectFrom('outbox')
    .innerJoin('environments', 'environments.id', 'outbox.environment_id')
    .select('outbox.id')
    .where('organization_id', '=', organizationId)
    .execute()
  return {
    machines: rows.map(({ phase, runner_id, status }) => ({
      phase,
      isPlaced: runner_id !== null,
      isTold: status.placement !== null,
    })),
    orders: orders.length,
  }
}
const common = { reconciler: placementReconciler, outcome, hasNeighbours: false }

describeReconciler('placement', [
  {
    ...common,
    name: 'gives each that waits a runner and orders it there',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      await party.runner()
      for (const phase of ['pending', 'pending', 'running'] as const) await party.environment(pool, phase)
      return party.organizationId
    },
    expected: {
      machines: [
        { phase: 'provisioning', isPlaced: true, isTold: true },
        { phase: 'provisioning', isPlaced: true, isTold: true },
        { phase: 'running', isPlaced: false, isTold: false },
      ],
      orders: 2,
    },
  },
  {
    ...common,
    name: 'tells one that no runner takes why it waits',
    async arrange(party) {
      const pool = await party.pool(await party.project())
      await party.runner({ phase: 'draining' })
      await party.environment(pool, 'pending')
      return party.organizationId
    },
    expected: { machines: [{ phase: 'pending', isPlaced: false, isTold: true }], orders: 0 },
  },
])
