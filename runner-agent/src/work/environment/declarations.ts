import {
  type DeclaredProcesses,
  type EnvironmentOrder,
  noProcesses,
  type ProcessBounds,
  type ProvisioningPlan,
  processBytes,
  processNames,
  type RepositoryHooks,
  type RepositoryProcesses,
  readRepository,
  repositoryHookFiles,
} from '@hearth/contract'
import type { Guest } from '../../guest/guest.ts'

/** What the files of a machine's repositories declare. */
export interface Declarations {
  readonly declared: RepositoryProcesses
  /** To be kept with the next change. */
  declare(repository: string, processes: DeclaredProcesses): void
}

export interface Reading {
  order: Pick<EnvironmentOrder, 'plan'>
  guest: Pick<Guest, 'readFiles'>
  declarations: Declarations
}

/** Reads what a repository in the guest says, and writes down what it declares; resolves with its hooks. */
export async function readFiles(
  repository: string,
  { order, guest, declarations }: Reading,
  signal: AbortSignal,
): Promise<RepositoryHooks> {
  const { hearth, script, capy } = repositoryHookFiles
  const paths = [hearth, script, capy].map((file) => `/home/${repository}/${file}`)
  const texts = await guest.readFiles(paths, signal)
  const { hooks, processes } = readRepository(
    { hearth: texts[0] ?? null, script: texts[1] ?? null, capy: texts[2] ?? null },
    boundsFor(repository, order.plan, declarations.declared),
  )
  declarations.declare(repository, processes)
  return hooks
}

/** What is left for the file of a repository: the project and the repositories before it come first. */
function boundsFor(
  repository: string,
  plan: Pick<ProvisioningPlan, 'processes' | 'repositories'>,
  declared: RepositoryProcesses,
): ProcessBounds {
  const index = plan.repositories.findIndex(({ name }) => name === repository)
  const before = plan.repositories.slice(0, index).flatMap(({ name }) => declared[name] ?? [])
  const credentials = plan.repositories.flatMap(({ token, deployKey }) => [token, deployKey])
  return {
    taken: new Set([plan.processes ?? noProcesses, ...before].flatMap(processNames)),
    takenBytes: before.reduce((sum, one) => sum + processBytes(one), 0),
    credentials: new Set(credentials.filter((name) => name !== undefined)),
  }
}
