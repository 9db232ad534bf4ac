import { type DeclaredProcesses, noProcesses, processLimits } from '@hearth/contract'
import type { DeclaredIn, StoredProcessSpec } from './table.ts'

/** A task or service that every machine made alike has. */
export interface Declared {
  name: string
  spec: StoredProcessSpec & DeclaredIn
  dependsOn: readonly string[]
  on: string
}

/** The file of one repository, whose folder has its name. */
export interface DeclaringRepository {
  name: string
  processes: DeclaredProcesses
}

/**
 * All that is declared for a machine. Of two of one name the project's counts, then that of the repository that comes
 * first; those beyond the most that a machine has are left out. What a file declares runs in its repository, and is given
 * no secret that opens one.
 */
export function mergeDeclared(
  project: DeclaredProcesses | undefined,
  repositories: readonly DeclaringRepository[],
  credentials: readonly string[],
): Declared[] {
  const merged = new Map<string, Declared>()
  for (const one of toDeclared(project ?? noProcesses, null)) merged.set(one.name, one)
  for (const { name: repository, processes } of repositories)
    for (const one of toDeclared(processes, repository)) {
      const first = merged.get(one.name)
      if (first !== undefined) first.spec.passedOver.push(repository)
      else if (merged.size < processLimits.processes)
        merged.set(one.name, ofRepository(one, repository, credentials))
    }
  return [...merged.values()]
}

function toDeclared({ tasks, services }: DeclaredProcesses, repository: string | null): Declared[] {
  const common = () => ({ isDeclared: true, repository, passedOver: [] as string[] })
  return [
    ...Object.entries(tasks).map(([name, spec]) => ({
      ...{ name, on: spec.on, dependsOn: spec.dependsOn },
      spec: { kind: 'task' as const, ...common(), ...spec },
    })),
    ...Object.entries(services).map(([name, spec]) => ({
      ...{ name, on: spec.on, dependsOn: spec.dependsOn },
      spec: { kind: 'service' as const, ...common(), ...spec },
    })),
  ]
}

function ofRepository(one: Declared, repository: string, credentials: readonly string[]): Declared {
  const { spec } = one
  const secrets = spec.secrets.filter((name) => !credentials.includes(name))
  return { ...one, spec: { ...spec, folder: spec.folder ?? `/home/${repository}`, secrets } }
}
