import { type Environment, stepKey } from '@hearth/contract'
import { formatDuration } from '../output/duration.ts'
import type { Table } from '../output/table.ts'

export interface Measurements {
  /** The members the pool was filled with. */
  machines: readonly Environment[]
  /** Time from the request for a claim to the answer with address and certificate. */
  claimMilliseconds: number
  /** Time from the request for the claim to the end of the first command; null where no command can be run. */
  firstCommandMilliseconds: number | null
}

/** The measurements, one row each; for several environments the fastest and the slowest. */
export function measurementTable({
  machines,
  claimMilliseconds,
  firstCommandMilliseconds,
}: Measurements): Table {
  const rows = [
    ['cold: created to ready', span(startTimes(machines))],
    ...stepRows(machines),
    ['claim', formatDuration(claimMilliseconds)],
  ]
  if (firstCommandMilliseconds !== null) {
    rows.push(['claim to first command done, over SSH', formatDuration(firstCommandMilliseconds)])
  }
  return { columns: ['MEASURED', 'TIME'], rows }
}

/** Machines that were started from a prebuild; null for a start that was not possible. */
export interface PrebuiltStarts {
  disk: Environment | null
  memory: Environment | null
  /** Time from the request for a claim of an empty pool to the end of the first command; null where that was not seen. */
  emptyPoolMilliseconds: number | null
}

/** From creation to ready, and each step: from the image, from a prebuild's disk, and from the memory kept of it. */
export function startTable(
  machines: readonly Environment[],
  { disk, memory, emptyPoolMilliseconds }: PrebuiltStarts,
): Table {
  // Members of a pool that has a prebuild already did not start from the image.
  const fromImage = machines.filter(({ status }) => (status.startedFrom?.from ?? 'image') === 'image')
  const columns = [fromImage, disk === null ? [] : [disk], memory === null ? [] : [memory]]
  const keys = new Set(columns.flat().flatMap(({ status }) => status.steps.map(stepKey)))
  const rows = [...keys].map((key) => [`  ${key}`, ...columns.map((each) => stepText(each, key))])
  return {
    columns: ['STARTED FROM', 'IMAGE', 'DISK', 'MEMORY'],
    rows: [
      ['created to ready', ...columns.map((each) => span(startTimes(each)))],
      ...rows.filter(([, ...times]) => times.some((time) => time !== '-')),
      ...(emptyPoolMilliseconds === null
        ? []
        : [['claim of an empty pool to first command', '-', '-', formatDuration(emptyPoolMilliseconds)]]),
    ],
  }
}

/** What a step took, or that it had been done in the prebuild. */
function stepText(machines: readonly Environment[], key: string): string {
  const steps = machines.flatMap(({ status }) => status.steps.filter((step) => stepKey(step) === key))
  if (steps.length > 0 && steps.every(({ phase }) => phase === 'held')) return 'done before'
  return span(steps.flatMap((step) => (step.phase === 'skipped' ? [] : (step.durationMilliseconds ?? []))))
}

const startTimes = (machines: readonly Environment[]): number[] =>
  machines.flatMap(({ metadata, status }) =>
    status.readyAt === null ? [] : [Date.parse(status.readyAt) - Date.parse(metadata.createdAt)],
  )

function stepRows(machines: readonly Environment[]): string[][] {
  const [first] = machines
  return (first?.status.steps ?? [])
    .filter(({ phase }) => phase !== 'skipped' && phase !== 'held')
    .map((step) => {
      const times = machines.flatMap(({ status }) => {
        const same = status.steps.find((other) => stepKey(other) === stepKey(step))
        return same?.durationMilliseconds ?? []
      })
      return [`  ${stepKey(step)}`, span(times)]
    })
}

/** A range such as `1.2 s` or `1.2 s to 3.4 s`. */
export function span(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return '-'
  const [least, most] = [Math.min(...milliseconds), Math.max(...milliseconds)].map(formatDuration)
  return least === most ? (least ?? '') : `${least} to ${most}`
}
