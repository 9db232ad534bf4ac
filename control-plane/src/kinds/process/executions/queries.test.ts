import { type ProcessRun, processPhases, type RunCause } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { expect, test } from 'vitest'
import { World } from '../../world.fixture.ts'
import type { ExecutionPhase } from './execution.ts'
import { getExecution, searchExecutions } from './queries.ts'

const all: ExecutionPhase[] = ['pending', 'running', 'succeeded', 'failed', 'stopped']

const run = (number: number, cause: RunCause | null, exitCode: number | null): ProcessRun => ({
  number,
  startedAt: `2026-06-01T12:00:0${number}.000Z`,
  readyAt: null,
  finishedAt: cause === null ? null : `2026-06-01T12:01:0${number}.000Z`,
  cause,
  exitCode,
  signal: null,
  outputBytes: 0,
  output: '',
})
const runs = [
  null,
  run(1, null, null),
  run(1, 'exit', 0),
  run(1, 'exit', 3),
  run(1, 'stopped', 0),
  run(1, 'lost', null),
]

test('an execution is found by the phase that it has, whatever its task and its runs', async () => {
  await using world = await World.create()
  const party = await world.party()
  const pool = await party.pool(await party.project())
  const environment = await party.environment(pool, 'running', { has_processes: true })
  const { database } = world
  const taskId = await party.task(environment, 'pending')
  const { organizationId } = party
  const id = newId()
  await database.insertInto('task_executions').values({ id, task_id: taskId, request: 7 }).execute()
  const scope = { organizationId, limit: 10 }
  const seen = new Set<ExecutionPhase>()
  for (const request of [7, 8])
    for (const phase of processPhases)
      for (const one of runs) {
        await database.updateTable('processes').set({ phase, request }).where('id', '=', taskId).execute()
        await database.deleteFrom('process_runs').where('process_id', '=', taskId).execute()
        if (one !== null)
          await database
            .insertInto('process_runs')
            .values({ process_id: taskId, number: 1, run: JSON.stringify(one), request: 7 })
            .execute()
        const execution = await getExecution(database, scope, id)
        seen.add(execution.phase)
        for (const wanted of all) {
          const found = await searchExecutions(database, scope, { ids: [id], phases: [wanted] })
          expect([wanted, found.length]).toEqual([wanted, wanted === execution.phase ? 1 : 0])
        }
        expect(execution.startedAt).toBe(one?.startedAt ?? null)
        expect(execution.failure === null).toBe(execution.phase !== 'failed')
      }
  expect(seen).toEqual(new Set(all))
}, 60_000)

test('what belongs to another organization, or is no id, is not found', async () => {
  await using world = await World.create()
  const scope = { organizationId: newId() }
  await expect(getExecution(world.database, scope, newId())).rejects.toMatchObject({ code: 'not_found' })
  await expect(getExecution(world.database, scope, 'run-1')).rejects.toMatchObject({ code: 'not_found' })
})
