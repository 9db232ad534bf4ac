import type { HearthClient } from '@hearth/client'
import { newId } from '@hearth/foundation'
import { startRunningMachine } from './running-machine.ts'

type Prepared = { path: string; body: unknown; other: unknown; otherPath?: string }

/** The POSTs that make, start and stop tasks and services. */
export function processPosts(
  client: () => HearthClient,
  make: (path: string, body: unknown) => Promise<string>,
): { name: string; prepare(): Promise<Prepared> }[] {
  let environment: Promise<string> | null = null
  const machine = () => {
    environment ??= startRunningMachine(client())
    return environment
  }
  const body = async (command: string) => ({
    name: `p-${newId().slice(-8)}`,
    spec: { environment: await machine(), command },
  })
  return (['tasks', 'services'] as const).flatMap((kind) => [
    {
      name: kind,
      prepare: async () => ({ path: `/v1/${kind}`, body: await body('make'), other: await body('make all') }),
    },
    ...(['start', 'stop', 'restart'] as const).map((action) => ({
      name: `${kind}/{id}/${action}`,
      prepare: async () => {
        const path = async () => `/v1/${kind}/${await make(`/v1/${kind}`, await body('make'))}/${action}`
        return { path: await path(), otherPath: await path(), body: undefined, other: undefined }
      },
    })),
  ])
}
