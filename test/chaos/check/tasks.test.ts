import { expect, test } from 'vitest'
import { check } from './check.ts'
import type { History, Rule } from './history.ts'
import { calmHistory, environment, process } from './sample.ts'

const rules = (history: History): Rule[] => [...new Set(check(history).map(({ rule }) => rule))]
type Row = History['records']['processes'][number]
type Wanted = History['intents']['processes'][number]

const wantedTask: Wanted = {
  ...{ id: 'task-1', kind: 'Task', environmentId: 'claimed', exitCode: 0, request: 1, starts: 1 },
  ...{ stopped: false, mayBeLost: false, isPutBack: false },
}
const wantedService: Wanted = { ...wantedTask, kind: 'Service', exitCode: null }

function history(row: Partial<Row> | null, wanted: Partial<Wanted> = {}): History {
  const { intents, records } = calmHistory()
  return calmHistory({
    intents: { ...intents, processes: [{ ...wantedTask, ...wanted }] },
    records: { ...records, processes: row === null ? [] : [process(row)] },
  })
}
const service = (row: Partial<Row>, wanted: Partial<Wanted> = {}) =>
  history(
    { kind: 'service', phase: 'running', isRestarted: true, cause: null, exitCode: null, ...row },
    { ...wantedService, ...wanted },
  )
const failed = (change: Partial<Row>): Partial<Row> => ({
  ...{ phase: 'failed', failure: 'why', failureCode: 'command_failed', exitCode: null },
  ...change,
})
const exits3 = failed({ cause: 'exit', exitCode: 3 })

/** The same, with the machine of the claim in another phase; of the rules only those of tasks are of interest. */
function withMachine(given: History, phase: 'stopped' | 'suspended' | 'failed' | 'deleted'): Rule[] {
  const environments = given.records.environments.map((one) =>
    one.id === 'claimed' ? environment('claimed', { phase, claimId: 'claim-1' }) : one,
  )
  const all = check({ ...given, records: { ...given.records, environments } })
  return all.flatMap(({ rule, message }) => (/^(task|service) task-1/.test(message) ? [rule] : []))
}

test('a task that succeeded, or failed as its command does, and a service that runs are as wanted', () => {
  expect(check(history({}))).toEqual([])
  expect(check(history(exits3, { exitCode: 3 }))).toEqual([])
  expect(check(service({}))).toEqual([])
  expect(check(service({ phase: 'stopped', desired: 'stop', cause: 'stopped' }, { stopped: true }))).toEqual(
    [],
  )
})

test('a task that was promised and is gone, or not at rest, is a lost intent', () => {
  expect(rules(history(null))).toEqual(['lost intent'])
  for (const phase of [
    'idle',
    'pending',
    'starting',
    'running',
    'restarting',
    'stopping',
    'deleting',
  ] as const)
    expect(rules(history({ phase }))).toEqual(['lost intent'])
})

test('what waits for its machine to be started or resumed is at rest; what has failed with it, too', () => {
  for (const phase of ['stopped', 'suspended'] as const)
    expect(withMachine(history({ phase: 'pending' }), phase)).toEqual([])
  expect(withMachine(history({ phase: 'pending' }), 'failed')).toEqual(['lost intent'])
  expect(withMachine(history(failed({ failureCode: 'cancelled' })), 'failed')).toEqual([])
})

test('a start or a stop that does not hold is a lost intent', () => {
  expect(rules(history({ request: 1 }, { request: 2, starts: 2 }))).toEqual(['lost intent'])
  expect(rules(history({}, { stopped: true }))).toEqual(['lost intent'])
  expect(rules(history({ desired: 'stop' }))).toEqual(['lost intent'])
})

test('a task that ended otherwise than its command does is a lost intent', () => {
  expect(rules(history({}, { exitCode: 3 }))).toEqual(['lost intent'])
  expect(rules(history({ exitCode: 3 }, { exitCode: 3 }))).toEqual(['lost intent'])
  expect(rules(history(exits3))).toEqual(['lost intent'])
  expect(rules(history({ phase: 'stopped', cause: 'stopped' }))).toEqual(['lost intent'])
})

test('a run that was cut short is a lost intent, unless its machine may go down, or a fault may fail it', () => {
  const lost = failed({ cause: 'lost' })
  expect(rules(history(lost))).toEqual(['lost intent'])
  expect(check(history(lost, { mayBeLost: true }))).toEqual([])
  expect(check({ ...history(lost), excused: { failedMachines: true } })).toEqual([])
})

test('a service that was not stopped and does not run is a lost intent', () => {
  for (const phase of ['pending', 'starting', 'restarting', 'stopped'] as const)
    expect(rules(service({ phase }))).toEqual(['lost intent'])
  expect(rules(service(failed({ cause: 'lost' }), { mayBeLost: true }))).toEqual(['lost intent'])
  expect(rules(service({ desired: 'stop' }, { stopped: true }))).toEqual(['lost intent'])
})

test('a service that crashes ends as failed, after as many runs as its restart policy allows', () => {
  const crashes = { exitCode: 3 }
  expect(check(service({ ...exits3, runs: 4 }, crashes))).toEqual([])
  for (const phase of ['running', 'restarting'] as const)
    expect(rules(service({ phase }, crashes))).toEqual(['lost intent'])
  expect(rules(service({ ...exits3, runs: 5 }, crashes))).toEqual(['double run'])
})

test('a task that was cut short since its machine was put back has failed as it must, and one whose machine was not has not', () => {
  const cut = failed({ failureCode: 'cancelled', cause: null })
  expect(check(history(cut, { isPutBack: true, mayBeLost: true }))).toEqual([])
  expect(rules(history(cut))).toEqual(['lost intent'])
  expect(rules(history(failed({ cause: 'exit', exitCode: 1 }), { isPutBack: true }))).toEqual(['lost intent'])
})

test('a task of a machine that is deleted or unknown is an orphan', () => {
  expect(withMachine(history({}), 'deleted')).toEqual(['orphan'])
  expect(rules(history({ environmentId: 'unknown' }, { environmentId: 'unknown' }))).toEqual(['orphan'])
})

test('a failure without a cause, or a start past its deadline, breaks the deadlines', () => {
  expect(rules(history({ ...exits3, failure: null }, { exitCode: 3 }))).toEqual(['deadline'])
  const deadline = new Date('2025-12-31T23:59:00Z')
  expect(rules(history({ phase: 'starting', deadline }))).toContain('deadline')
})

test('more runs than were asked for are a double run, unless it is restarted or its machine was put back; and so are more requests', () => {
  expect(rules(history({ runs: 2 }))).toEqual(['double run'])
  expect(check(history({ runs: 2 }, { isPutBack: true }))).toEqual([])
  expect(check(history({ runs: 2, request: 2 }, { request: 2, starts: 2 }))).toEqual([])
  expect(check(service({ runs: 2 }))).toEqual([])
  expect(rules(service({ request: 2 }))).toEqual(['double run'])
  expect(check(service({ request: 2 }, { isPutBack: true }))).toEqual([])
  expect(rules(history({ runs: 2, request: 2 }))).toEqual(['double run'])
})
