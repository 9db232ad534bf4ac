import { z } from 'zod'
import { type DeclaredProcesses, type ProcessFault, refuseUnfitProcesses } from './declared-processes.ts'
import { processLimits, processNameSchema } from './process.ts'
import { repositoryFolderSchema } from './repository-folder.ts'
import { serviceDefinitionSchema } from './service.ts'
import { taskDefinitionSchema } from './task.ts'

/** What the machine that a repository is cloned to leaves for the tasks and services of its `hearth.yaml`. */
export interface ProcessBounds {
  /** Those of its project, and of the repositories before it. */
  taken: ReadonlySet<string>
  takenBytes: number
  /** The secrets that open a repository: git alone is given them. */
  credentials: ReadonlySet<string>
}

export const unbound: ProcessBounds = { taken: new Set(), takenBytes: 0, credentials: new Set() }
export const noProcesses: DeclaredProcesses = { tasks: {}, services: {} }

/** The most bytes of JSON of what the repositories of a machine declare together; it is reported in one message. */
export const mostRepositoryProcessBytes = 128 * 1024

export const processNames = ({ tasks, services }: DeclaredProcesses): string[] => [
  ...Object.keys(tasks),
  ...Object.keys(services),
]

export const processBytes = (processes: DeclaredProcesses): number =>
  new TextEncoder().encode(JSON.stringify(processes)).byteLength

/** What is too much for the machine, or not the repository's to ask for. */
export function faultsBeyond(
  processes: DeclaredProcesses,
  { taken, takenBytes, credentials }: ProcessBounds,
): { path: ProcessFault['path']; rule: string }[] {
  const faults: { path: ProcessFault['path']; rule: string }[] = []
  const first = Object.keys(processes.tasks).length > 0 ? 'tasks' : 'services'
  const count = new Set([...taken, ...processNames(processes)]).size
  if (count > processLimits.processes)
    faults.push({
      path: [first],
      rule: `must be at most ${processLimits.processes} tasks and services together with those of the project and of other repositories, these are ${count}`,
    })
  const bytes = takenBytes + processBytes(processes)
  if (bytes > mostRepositoryProcessBytes)
    faults.push({
      path: [first],
      rule: `must be at most ${mostRepositoryProcessBytes} bytes of JSON together with those of other repositories, these are ${bytes}`,
    })
  for (const [kind, named] of Object.entries(processes))
    for (const [name, { secrets }] of Object.entries(named))
      for (const [index, secret] of secrets.entries())
        if (credentials.has(secret))
          faults.push({
            path: [kind, name, 'secrets', index],
            rule: `must not be ${secret}: it opens a repository, and git alone is given it`,
          })
  return faults
}

/** Fields that only a newer agent knows are left out: with them the whole report would be lost. */
const reportedSchema = z
  .object({
    tasks: z.record(processNameSchema, taskDefinitionSchema),
    services: z.record(processNameSchema, serviceDefinitionSchema),
  })
  .superRefine(refuseUnfitProcesses)

/** As a runner says it: by repository. What does not fit is refused, since it is acted on. */
export const reportedProcessesSchema = z
  .record(repositoryFolderSchema, reportedSchema)
  .superRefine((repositories, context) => {
    const bytes = Object.values(repositories).reduce((sum, one) => sum + processBytes(one), 0)
    if (bytes > mostRepositoryProcessBytes)
      context.addIssue({
        code: 'custom',
        message: `must be at most ${mostRepositoryProcessBytes} bytes of JSON, these are ${bytes}`,
      })
  })
/** What repositories declare in their `hearth.yaml`, by their folders. */
export type RepositoryProcesses = Readonly<Record<string, DeclaredProcesses>>
