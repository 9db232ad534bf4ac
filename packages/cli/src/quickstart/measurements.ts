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
  const coldStarts = machines.flatMap(({ metadata, status }) =>
    status.readyAt === null ? [] : [Date.parse(status.readyAt) - Date.parse(metadata.createdAt)],
  )
  const rows = [
    ['cold: created to ready', span(coldStarts)],
    ...stepRows(machines),
    ['claim', formatDuration(claimMilliseconds)],
  ]
  if (firstCommandMilliseconds !== null) {
    rows.push(['claim to first command done, over SSH', formatDuration(firstCommandMilliseconds)])
  }
  return { columns: ['MEASURED', 'TIME'], rows }
}

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
