import { crashRestarts, type History, type Violation } from './history.ts'

type Wanted = History['intents']['processes'][number]
type Row = History['records']['processes'][number]
type Machine = History['records']['environments'][number]

const slackMilliseconds = 3_000
const ended = ['succeeded', 'failed', 'stopped']

/** Every task that was promised ran to its end, once for each time that was asked, and every service runs. */
export function checkTasks(history: History): Violation[] {
  const violate =
    (rule: Violation['rule'], lasting = false) =>
    (message: string): Violation => ({ rule, message, lasting })
  return [
    ...[...lostProcesses(history)].map(violate('lost intent')),
    ...[...strays(history)].map(violate('orphan')),
    ...[...withoutCause(history), ...overdue(history)].map(violate('deadline')),
    ...[...ranTwice(history)].map(violate('double run', true)),
  ]
}

/** What users were told holds, of those whose machine is there. */
function* lostProcesses({ intents, records, excused }: History): Generator<string> {
  for (const wanted of intents.processes) {
    const machine = records.environments.find(({ id }) => id === wanted.environmentId)
    if (machine === undefined || machine.phase === 'deleting' || machine.phase === 'deleted') continue
    const name = `${wanted.kind.toLowerCase()} ${wanted.id}`
    const row = records.processes.find(({ id }) => id === wanted.id)
    if (row === undefined) {
      yield `${name} is gone, and its machine ${machine.id} is ${machine.phase}`
      continue
    }
    if (row.request < wanted.request)
      yield `${name} has request ${row.request}; ${wanted.request} was acknowledged`
    if (row.desired !== (wanted.stopped ? 'stop' : 'run'))
      yield `${name} was ${wanted.stopped ? 'stopped' : 'started'} last, and is to ${row.desired}`
    yield* unrest(name, row, wanted, machine)
    if (isEndedWrongly(row, wanted, machine, excused.failedMachines))
      yield `${name}, whose command ${words(wanted)}, is ${row.phase} (${row.cause}, exit code ${row.exitCode}, ${row.failure})`
  }
}

const words = ({ exitCode }: Wanted) => (exitCode === null ? 'runs on' : `exits with ${exitCode}`)

/** What is not at rest though its machine is. */
function* unrest(name: string, { phase }: Row, wanted: Wanted, machine: Machine): Generator<string> {
  if (ended.includes(phase)) return
  // It waits for its machine, and goes on with it.
  if (machine.phase === 'stopped' || machine.phase === 'suspended') return
  if (wanted.exitCode === null && !wanted.stopped && phase === 'running' && machine.phase === 'running')
    return
  yield `${name} is still ${phase}, and its machine ${machine.id} is ${machine.phase}`
}

function isEndedWrongly(row: Row, wanted: Wanted, machine: Machine, isExcused: boolean): boolean {
  switch (row.phase) {
    case 'succeeded':
      return wanted.exitCode !== 0 || row.exitCode !== 0
    case 'stopped':
      return !wanted.stopped
    case 'failed': {
      if (machine.phase === 'failed' && row.failureCode === 'cancelled') return false
      // What ran when its machine was put back is cut short; a service begins again.
      if (wanted.isPutBack && wanted.kind === 'Task' && row.failureCode === 'cancelled') return false
      if (row.cause === 'exit' && row.exitCode === 3) return wanted.exitCode !== 3
      return !isExcused && !(wanted.mayBeLost && wanted.kind === 'Task' && row.cause === 'lost')
    }
    default:
      return false
  }
}

/** They go with their machine. */
function* strays({ records }: History): Generator<string> {
  for (const { id, kind, environmentId, phase } of records.processes) {
    const machine = records.environments.find((one) => one.id === environmentId)
    if (machine === undefined || machine.phase === 'deleted')
      yield `${kind} ${id} is ${phase}, and its machine ${environmentId} is ${machine?.phase ?? 'unknown'}`
  }
}

function* withoutCause({ records }: History): Generator<string> {
  for (const { id, kind, phase, failure } of records.processes)
    if (phase === 'failed' && failure === null) yield `${kind} ${id} failed without a cause`
}

function* overdue({ records }: History): Generator<string> {
  for (const { id, kind, phase, environmentId, deadline } of records.processes) {
    const machine = records.environments.find((one) => one.id === environmentId)
    if (deadline === null || phase !== 'starting' || machine?.phase !== 'running') continue
    const late = records.now.getTime() - deadline.getTime()
    if (late > slackMilliseconds && !machine.unreachable)
      yield `${kind} ${id} is starting, ${late} ms past its deadline`
  }
}

/** A command that is not to be repeated has as many runs as were asked for, whatever dies meanwhile. */
function* ranTwice({ intents, records }: History): Generator<string> {
  for (const { id, kind, request, runs, isRestarted } of records.processes) {
    const wanted = intents.processes.find((one) => one.id === id)
    // The ledger of a disk that was put back does not have the runs that came after it.
    if (!isRestarted && runs > request && wanted?.isPutBack !== true)
      yield `${kind} ${id} had ${runs} runs; ${request} were asked for`
    if (wanted === undefined) continue
    const most = wanted.starts * (1 + crashRestarts)
    if (wanted.kind === 'Service' && wanted.exitCode !== null && !wanted.mayBeLost && runs > most)
      yield `service ${id} had ${runs} runs; its restart policy allows ${most}`
    // What is kept running begins again where its machine is put back, which is a request too.
    if (request > wanted.starts && !(wanted.isPutBack && isRestarted))
      yield `${kind} ${id} was asked for ${request} times, and its user did so ${wanted.starts} times`
  }
}
