import type { History, Violation } from './history.ts'

type Row = History['records']['pipelines'][number]

/** Every pipeline is as its program told, each status once and in order, and nothing is left of one that is gone. */
export function checkPipelines(history: History): Violation[] {
  const violate =
    (rule: Violation['rule'], lasting = false) =>
    (message: string): Violation => ({ rule, message, lasting })
  return [
    ...[...lost(history)].map(violate('lost intent')),
    ...[...untold(history)].map(violate('lost intent', true)),
    ...[...unfinished(history)].map(violate('lost intent')),
    ...[...leftOver(history)].map(violate('orphan')),
    ...[...waiting(history)].map(violate('deadline')),
  ]
}

const rowOf = ({ records }: History, id: string) => records.pipelines.find((row) => row.id === id)

function* lost(history: History): Generator<string> {
  for (const { id, deleted } of history.intents.pipelines) {
    const row = rowOf(history, id)
    if (deleted && row !== undefined) yield `pipeline ${id} was deleted, and is ${row.resources}`
    if (!deleted && row === undefined) yield `pipeline ${id} is gone, and nobody deleted it`
  }
}

/** What its runtime was, for each machine that it had; what was shown while its host was silent is left out. */
function livesOf({ records }: History, pipelineId: string): string[][] {
  const lives: string[][] = []
  let life: string[] | null = null
  for (const event of records.pipelineEvents) {
    if (event.pipelineId !== pipelineId) continue
    if (event.resources !== 'provisioned') life = null
    else if (life === null) {
      life = []
      lives.push(life)
    }
    const { runtime } = event
    if (life !== null && runtime !== null && runtime !== 'unavailable' && runtime !== life.at(-1))
      life.push(runtime)
  }
  return lives
}

function* untold(history: History): Generator<string> {
  for (const { id, told } of history.intents.pipelines) {
    const sequences = history.records.pipelineEvents.filter(({ pipelineId }) => pipelineId === id)
    const gap = sequences.findIndex(({ sequence }, index) => sequence !== index + 1)
    if (gap >= 0) yield `event ${gap + 1} of pipeline ${id} is missing`
    for (const life of livesOf(history, id)) {
      const shown = life.at(-1) === 'suspended' ? life.slice(0, -1) : life
      const wanted = ['initializing', ...told]
      if (shown.some((runtime, index) => runtime !== wanted[index]))
        yield `pipeline ${id} was ${life.join(', ')}; its program told ${wanted.join(', ')}`
    }
  }
}

/** One that runs undisturbed has told all. */
function* unfinished(history: History): Generator<string> {
  for (const { id, told } of history.intents.pipelines) {
    const row = rowOf(history, id)
    if (row?.resources === 'provisioned' && row.runtime !== told.at(-1))
      yield `pipeline ${id} is ${row.runtime}; its program told ${told.at(-1)} last`
  }
}

function* leftOver({ records }: History): Generator<string> {
  const has = ({ environmentId, snapshotId, volumeId }: Row, id: string) =>
    environmentId === id || snapshotId === id || volumeId === id
  for (const { kind, id } of records.pipelineParts)
    if (!records.pipelines.some((row) => has(row, id))) yield `${kind} ${id} is left of a pipeline`
}

const isCompiled = ({ program }: Row) =>
  ['success', 'check_error', 'build_error', 'system_error'].includes(program)

function* waiting({ records }: History): Generator<string> {
  for (const row of records.pipelines) {
    const { id, resources, desired, program, storage, environmentId } = row
    if (!isCompiled(row)) yield `the program of pipeline ${id} is ${program}`
    if (storage === 'clearing') yield `pipeline ${id} is clearing`
    if (resources !== desired) yield `pipeline ${id} is ${resources}, and is to be ${desired}`
    if (resources === 'stopped' && environmentId !== null)
      yield `pipeline ${id} is stopped, and has a machine`
  }
}
