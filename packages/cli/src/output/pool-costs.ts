import type { EnvironmentClass, WarmPool } from '@hearth/contract'
import { renderTable } from './table.ts'

/** What the members of a pool cost their hosts, tier by tier: at most, as their class says. */
export function poolCosts({ spec, status }: WarmPool, { spec: size }: EnvironmentClass): string {
  const memory = size.memoryMebibytes / 1024
  const gibibytes = (amount: number) => `${Math.round(amount * 10) / 10} GiB`
  const tier = (name: string, count: number, memoryOfEach: number, diskOfEach: number) =>
    count === 0 ? [] : [[name, String(count), gibibytes(count * memoryOfEach), gibibytes(count * diskOfEach)]]
  const rows = [
    ...tier('running', status.ready, memory, size.diskGibibytes),
    ...tier('provisioning', status.provisioning, memory, size.diskGibibytes),
    ...tier('suspended', status.suspended, 0, size.diskGibibytes + memory),
    ...tier('stopped', status.stopped, 0, size.diskGibibytes),
    ...(status.resumable === 0
      ? []
      : [
          [
            'resumable',
            String(status.resumable),
            gibibytes(0),
            `${gibibytes(memory)} on each runner, for all of them`,
          ],
        ]),
    ...tier('claimed', status.claimed, memory, size.diskGibibytes),
  ]
  if (rows.length === 0) return `Costs:  nothing${spec.enabled ? '' : ', it is disabled'}`
  return renderTable({ columns: ['TIER', 'MACHINES', 'MEMORY', 'DISK, AT MOST'], rows })
}
