import {
  type DeclaredProcesses,
  type Environment,
  type Service,
  serviceDefinitionSchema,
  type Task,
  taskDefinitionSchema,
} from '@hearth/contract'
import type { View } from '../kinds/kind.ts'

/** What a machine has been made with: what its project declares, and what the files of its repositories add to that. */
export async function declaredInMachine(
  { client, signal }: Pick<View, 'client' | 'signal'>,
  { metadata: { id: environmentId }, spec: { plan } }: Environment,
  usualFolder: string,
): Promise<DeclaredProcesses> {
  const [tasks, services] = await Promise.all([
    client.tasks.listAll({ environmentId }, { signal }),
    client.services.listAll({ environmentId }, { signal }),
  ])
  return withDeclaredByFiles(plan?.processes, { tasks, services }, usualFolder)
}

/** A file that names no folder means that of its repository, which is the usual one of the machine where it is its first. */
export function withDeclaredByFiles(
  ofProject: DeclaredProcesses | undefined,
  inMachine: { tasks: readonly Task[]; services: readonly Service[] },
  usualFolder: string,
): DeclaredProcesses {
  const folderOf = (folder: string | null) => (folder === usualFolder ? null : folder)
  const byFiles = <One extends Task | Service>(all: readonly One[]) =>
    all.filter(({ spec }) => spec.isDeclared && spec.repository != null)
  const tasks = byFiles(inMachine.tasks).map(({ metadata, spec }) => [
    metadata.name,
    { ...taskDefinitionSchema.parse(spec), folder: folderOf(spec.folder) },
  ])
  const services = byFiles(inMachine.services).map(({ metadata, spec }) => [
    metadata.name,
    { ...serviceDefinitionSchema.parse(spec), folder: folderOf(spec.folder) },
  ])
  return {
    tasks: { ...Object.fromEntries(tasks), ...ofProject?.tasks },
    services: { ...Object.fromEntries(services), ...ofProject?.services },
  }
}
