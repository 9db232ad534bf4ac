import {
  pipelineProgramTable,
  pipelineResourcesTable,
  pipelineRuntimeDesiredTable,
  pipelineStorageTable,
} from '@hearth/contract'
import type { FelderaWorld } from './world.ts'

type Event = Awaited<ReturnType<FelderaWorld['events']>>[number]

/** Their words for those of programs; all others are written as here, in another case. */
const programWords: Readonly<Record<string, string>> = {
  ...{ pending: 'Pending', checking: 'CompilingSql', checked: 'SqlCompiled', building: 'CompilingRust' },
  ...{ success: 'Success', check_error: 'SqlError', build_error: 'RustError', system_error: 'SystemError' },
}
const pascal = (word: string) =>
  word
    .split('_')
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}`)
    .join('')

const edge = (table: string, from: string, to: string) => `${table}: ${from} → ${to}`
const edgesOf = (name: string, table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table).flatMap(([from, tos]) =>
    tos.map((to) => edge(name, programWords[from] ?? pascal(from), programWords[to] ?? pascal(to))),
  )

/** Every edge of every table. */
export const legalEdges: readonly string[] = [
  ...edgesOf('resources', pipelineResourcesTable),
  ...edgesOf('storage', pipelineStorageTable),
  ...edgesOf('program', pipelineProgramTable),
  ...edgesOf('runtime desired', pipelineRuntimeDesiredTable),
]

/** Those that a pipeline took, by its events, the oldest first. */
export function edgesIn(events: readonly Event[]): string[] {
  return events.flatMap((after, index) => {
    const before = events[index - 1]
    if (before === undefined) return []
    return [...changes(before, after), ...stays(before, after)]
  })
}

function changes(before: Event, after: Event): string[] {
  const pairs = [
    ['resources', before.deployment_resources_status, after.deployment_resources_status],
    ['storage', before.storage_status, after.storage_status],
    ['program', before.program_status, after.program_status],
    ['runtime desired', before.deployment_runtime_desired_status, after.deployment_runtime_desired_status],
  ] as const
  return pairs.flatMap(([table, from, to]) =>
    from == null || to == null || from === to ? [] : [edge(table, from, to)],
  )
}

/** From a status to itself: a start that ends before there is a machine, and one with what is stored. */
function stays(before: Event, after: Event): string[] {
  const isAt = (status: string) =>
    [before, after].every(({ deployment_resources_status }) => deployment_resources_status === status)
  const isRefused = isAt('Stopped') && !before.deployment_has_error && after.deployment_has_error
  const begins =
    before.deployment_resources_status === 'Stopped' && after.deployment_resources_status === 'Provisioning'
  const isKept = begins && before.storage_status === 'InUse' && after.storage_status === 'InUse'
  return [
    ...(isRefused ? [edge('resources', 'Stopped', 'Stopped')] : []),
    ...(isKept ? [edge('storage', 'InUse', 'InUse')] : []),
  ]
}
