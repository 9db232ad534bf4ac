import { isDeepStrictEqual } from 'node:util'
import { processLimits, type serviceCreateSchema, type taskCreateSchema } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from '@hono/zod-openapi'
import type { Command, CommandContext } from '../../../api/command.ts'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { withDependencies } from '../dependencies.ts'
import { lockPlace } from '../place.ts'
import { lockProcessesOf } from '../queries.ts'
import type { ProcessRow, StoredProcessSpec } from '../table.ts'
import { createProcess } from './create.ts'
import { updateProcess } from './update.ts'

export interface Upserted {
  environment: string
  tasks: readonly z.output<typeof taskCreateSchema>[]
  services: readonly z.output<typeof serviceCreateSchema>[]
}
interface Wanted {
  name: string
  labels: Record<string, string>
  spec: StoredProcessSpec
}

/**
 * Makes the tasks and services of one environment that are not there yet, without starting any, and changes the command,
 * the readiness and the dependencies of the others: all of it or nothing. Resolves with those that are new or other.
 */
export const upsertProcesses: Command<Upserted, ProcessRow[]> = {
  async run(tx, context, upserted) {
    const place = await lockPlace(tx, context.caller, { environment: upserted.environment })
    const wanted = allOf(upserted)
    refuseTooMany(wanted)
    const linked = wanted.map(({ name, spec }) => ({ name, dependsOn: spec.dependsOn }))
    const inOrder = withDependencies(
      wanted.map(({ name }) => name),
      linked,
    )
    const changed: ProcessRow[] = []
    for (const name of inOrder) {
      const one = wanted.find((each) => each.name === name)
      const row = one === undefined ? null : await upsert(tx, context, place, one)
      if (row !== null) changed.push(row)
    }
    return changed
  },
}

function refuseTooMany(wanted: readonly Wanted[]): void {
  if (wanted.length > processLimits.processes)
    throw new HearthError(
      'invalid',
      `there are ${wanted.length} tasks and services: must be at most ${processLimits.processes} in all`,
    )
  const twice = wanted.find(({ name }, index) => wanted.findIndex((one) => one.name === name) < index)
  if (twice !== undefined)
    throw new HearthError(
      'invalid',
      `${twice.name} is both a task and a service: must be one of them, the other needs another name`,
    )
}

function allOf({ tasks, services }: Upserted): Wanted[] {
  const common = { isDeclared: false, on: 'manual' } as const
  return [
    ...tasks.map(({ name = '', labels, spec: { environment: _, claim: _c, start: _s, ...given } }) => ({
      ...{ name, labels },
      spec: { kind: 'task' as const, ...common, ...given },
    })),
    ...services.map(({ name, labels, spec: { environment: _, claim: _c, start: _s, ...given } }) => ({
      ...{ name, labels },
      spec: { kind: 'service' as const, ...common, ...given },
    })),
  ]
}

/** Resolves with null where it is as wanted. */
async function upsert(
  tx: DatabaseTransaction,
  context: CommandContext,
  place: EnvironmentRow,
  { name, labels, spec }: Wanted,
): Promise<ProcessRow | null> {
  const row = (await lockProcessesOf(tx, place.id)).find((one) => one.name === name)
  if (row === undefined) return createProcess(tx, context, place, { name, labels, spec, isStarted: false })
  if (row.kind !== spec.kind)
    throw new HearthError(
      'conflict',
      `environment ${place.name} has a ${row.kind} ${name}: give another name`,
    )
  const others = { ...row.labels, ...labels }
  const isAsWanted = isDeepStrictEqual(changeable(row.spec), changeable(spec))
  if (isAsWanted && isDeepStrictEqual(row.labels, others)) return null
  const body = { labels: others, ...(isAsWanted ? {} : { spec: changeable(spec) }) }
  return updateProcess(spec.kind).run(tx, context, { reference: row.id, body }, undefined)
}

function changeable(spec: StoredProcessSpec): Partial<StoredProcessSpec> {
  const { command, dependsOn } = spec
  return spec.kind === 'service' ? { command, dependsOn, readiness: spec.readiness } : { command, dependsOn }
}
