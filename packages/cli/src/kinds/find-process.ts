import type { HearthClient } from '@hearth/client'
import { HearthError } from '@hearth/foundation'
import { badInput } from '../commands/options.ts'
import { environmentOf } from '../following/follow-power.ts'
import { findMachine } from './find-machine.ts'
import type { View } from './kind.ts'
import type { Process } from './process-parts.ts'

/** The calls of a task or service. */
export function callsOf(
  client: HearthClient,
  { kind }: Pick<Process, 'kind'>,
): HearthClient['tasks'] | HearthClient['services'] {
  return kind === 'Task' ? client.tasks : client.services
}

/** Whether a reference names a task or service of a machine: `CLAIM/NAME`. */
export const isProcessReference = (reference: string): boolean => reference.includes('/')

/** The task or service that is named as `CLAIM/NAME`. */
export async function findProcess(view: View, reference: string): Promise<Process> {
  const [machine = '', name = '', ...more] = reference.split('/')
  if (machine === '' || name === '' || more.length > 0)
    throw badInput('the name', reference, 'CLAIM/NAME or ENVIRONMENT/NAME, as in claim-0b8a11/web')
  const environment = await environmentOf(view, await findMachine(view, machine))
  if (environment === null) throw new HearthError('conflict', `claim ${machine} has no environment any more`)
  const filter = { environmentId: environment.metadata.id, name }
  const { client, signal } = view
  const [tasks, services] = await Promise.all([
    client.tasks.listAll(filter, { signal }),
    client.services.listAll(filter, { signal }),
  ])
  const found = [...tasks, ...services][0]
  if (found !== undefined) return found
  throw new HearthError(
    'not_found',
    `${machine} has no task and no service ${name}: \`hearth tasks ${machine}\` and \`hearth services ${machine}\` list them`,
  )
}
