import { describeReconciler, type Scenario } from '../reconciled.fixture.ts'
import { makeVolume } from '../volume.fixture.ts'
import { attachmentReconciler, volumeReconciler } from './reconcile.ts'

const outcome: Scenario['outcome'] = async (database, id) => {
  const row = await database
    .selectFrom('volumes')
    .select(['phase', 'environment_id', 'runner_id', 'status'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row === undefined
    ? null
    : {
        phase: row.phase,
        isKept: row.environment_id !== null,
        isPlaced: row.runner_id !== null,
        failure: row.status.failure?.code ?? null,
      }
}
const common = { reconciler: volumeReconciler, outcome }
const able = { work_kinds: '["environment","volume"]' }

describeReconciler('volume', [
  {
    ...common,
    name: 'places one on the host of its machine, and orders it there',
    async arrange(party) {
      const runner_id = await party.runner(able)
      const environment_id = await party.environment(await party.pool(await party.project()), 'running', {
        runner_id,
      })
      return makeVolume(party, 'pending', { environment_id })
    },
    expected: { phase: 'creating', isKept: true, isPlaced: true, failure: null },
  },
  {
    ...common,
    name: 'waits for an agent that has volumes',
    async arrange(party) {
      const runner_id = await party.runner({ work_kinds: '["environment"]' })
      const environment_id = await party.environment(await party.pool(await party.project()), 'running', {
        runner_id,
      })
      return makeVolume(party, 'pending', { environment_id })
    },
    expected: { phase: 'pending', isKept: true, isPlaced: false, failure: null },
  },
  {
    ...common,
    name: 'takes one back from a machine that is deleted',
    async arrange(party) {
      const runner_id = await party.runner(able)
      const pool = await party.pool(await party.project())
      const environment_id = await party.environment(pool, 'deleted', { runner_id, desired_phase: 'deleted' })
      return makeVolume(party, 'attached', { environment_id, runner_id })
    },
    expected: { phase: 'detaching', isKept: false, isPlaced: true, failure: null },
  },
  {
    ...common,
    name: 'gives up one whose host was removed, and keeps it on record',
    async arrange(party) {
      return makeVolume(party, 'available', { runner_id: await party.runner({ ...able, phase: 'deleted' }) })
    },
    expected: { phase: 'failed', isKept: false, isPlaced: true, failure: 'runner_lost' },
  },
  {
    ...common,
    name: 'removes one that no host has, when nobody wants it',
    async arrange(party) {
      return makeVolume(party, 'unplaced', { desired: 'delete' })
    },
    expected: null,
  },
])

describeReconciler('attachment', [
  {
    name: 'takes the volumes back from a machine that is deleted',
    reconciler: attachmentReconciler,
    async arrange(party) {
      const runner_id = await party.runner(able)
      const pool = await party.pool(await party.project())
      const environment_id = await party.environment(pool, 'deleted', { runner_id, desired_phase: 'deleted' })
      await makeVolume(party, 'attached', { environment_id, runner_id })
      return environment_id
    },
    async outcome(database, environmentId) {
      return database
        .selectFrom('volumes')
        .select('phase')
        .where('environment_id', '=', environmentId)
        .execute()
    },
    expected: [],
  },
])
