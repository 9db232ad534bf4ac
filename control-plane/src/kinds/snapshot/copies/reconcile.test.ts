import { describeReconciler, type Scenario } from '../../reconciled.fixture.ts'
import { type Party, secondsAgo } from '../../world.fixture.ts'
import { snapshotReconciler } from '../reconcile.ts'
import type { CopySource } from '../table.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const holders = await database
    .selectFrom('snapshot_holders')
    .select(['phase', 'source', 'failure', 'flattening'])
    .where('snapshot_id', '=', id)
    .execute()
  const orders = await database
    .selectFrom('outbox')
    .select('topic')
    .where('environment_id', '=', id)
    .orderBy('id')
    .execute()
  return {
    flattens: holders.filter(({ flattening }) => flattening !== null).length,
    copies: holders.flatMap(({ phase, source, failure }) =>
      source.kind !== 'runner'
        ? []
        : [
            {
              phase,
              isGranted: source.grantId !== null,
              tried: source.triedRunnerIds.length,
              isGivenUp: source.isGivenUp,
              failure: failure?.code ?? null,
            },
          ],
    ),
    orders: orders.map(({ topic }) => topic),
  }
}
const common = { reconciler: snapshotReconciler, outcome }
const layerAddress = { host: 'north.example', port: 7_070 }
const unbegun: CopySource = {
  ...{ kind: 'runner', runnerId: null, address: null, grantId: null, endsAt: null },
  ...{ triedRunnerIds: [], isGivenUp: false },
}

/** A ready snapshot on a runner with this much memory, and perhaps a copy of it for another runner. */
async function held(
  party: Party,
  {
    copy,
    memoryMebibytes = 16_384,
    isReadable = true,
    parentIsGoing = false,
  }: {
    copy?: Partial<CopySource>
    memoryMebibytes?: number
    isReadable?: boolean
    parentIsGoing?: boolean
  },
): Promise<{ pool: Awaited<ReturnType<Party['pool']>>; id: string; maker: string }> {
  const pool = await party.pool(await party.project())
  const maker = await party.runner({ memoryMebibytes, ...(isReadable ? { layerAddress } : {}) })
  const holder = { phase: 'present', runner_id: maker } as const
  const parent_id = parentIsGoing
    ? await party.snapshot(pool, 'deleting', { desired_phase: 'deleted', holder })
    : null
  const id = await party.snapshot(pool, 'ready', { holder, parent_id })
  if (copy !== undefined) {
    const runner_id = await party.runner()
    const source: CopySource = { ...unbegun, ...copy }
    if (source.grantId !== null) source.runnerId = maker
    await party.holder(id, { runner_id, phase: 'pending', source: JSON.stringify(source) })
  }
  return { pool, id, maker }
}
const grantId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const begun = { phase: 'pending', isGranted: true, tried: 0, isGivenUp: false, failure: null }

describeReconciler('copies of a snapshot', [
  {
    ...common,
    name: 'has a copy made, and tells both runners of its grant',
    arrange: async (party) => (await held(party, { copy: {} })).id,
    expected: { flattens: 0, copies: [begun], orders: ['order', 'order'] },
  },
  {
    ...common,
    name: 'has a layer flattened whose parent is being deleted, before it is copied',
    arrange: async (party) => (await held(party, { copy: {}, parentIsGoing: true })).id,
    expected: { flattens: 1, copies: [{ ...begun, isGranted: false }], orders: ['order'] },
  },
  {
    ...common,
    name: 'gives up a copy that no runner lets be made, and records why',
    arrange: async (party) => (await held(party, { copy: {}, isReadable: false })).id,
    expected: {
      flattens: 0,
      copies: [{ ...begun, phase: 'failed', isGranted: false, isGivenUp: true, failure: 'host_refused' }],
      orders: ['order'],
    },
  },
  {
    ...common,
    name: 'gives up a copy to which nothing came in time, when there is no other runner',
    arrange: async (party) => {
      const copy = { grantId, address: layerAddress, endsAt: secondsAgo(1).toISOString() }
      return (await held(party, { copy })).id
    },
    expected: {
      flattens: 0,
      copies: [{ ...begun, phase: 'failed', isGivenUp: true, failure: 'deadline_passed' }],
      orders: ['order', 'order'],
    },
  },
  {
    ...common,
    name: 'forgets a copy that was given up, after a while',
    arrange: async (party) => {
      const copy = { grantId, isGivenUp: true, endsAt: secondsAgo(1).toISOString() }
      return (await held(party, { copy })).id
    },
    expected: { flattens: 0, copies: [], orders: ['purge'] },
  },
  {
    ...common,
    name: 'is copied to a runner with room for a machine that waits for it',
    arrange: async (party) => {
      const { pool, id } = await held(party, { memoryMebibytes: 512 })
      await party.runner()
      const source = {
        ...{ snapshotId: id, memory: false, incarnation: 1, heldSteps: [], onlyFromSnapshot: true },
        memoryWithheld: null,
      }
      await party.environment(pool, 'pending', { source: JSON.stringify(source), source_snapshot_id: id })
      return id
    },
    expected: { flattens: 0, copies: [begun], orders: ['order', 'order'] },
  },
])
