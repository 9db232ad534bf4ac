import { z } from 'zod'
import { processLimits, processNameSchema } from './process.ts'
import { serviceDefinitionInputSchema, serviceDefinitionSchema } from './service.ts'
import { taskDefinitionInputSchema, taskDefinitionSchema } from './task.ts'

/** The tasks and services of a project as people write them, by name. */
export const declaredProcessFields = {
  tasks: z
    .record(processNameSchema, taskDefinitionInputSchema)
    .default({})
    .meta({ description: 'Commands that run to their end, by name' }),
  services: z
    .record(processNameSchema, serviceDefinitionInputSchema)
    .default({})
    .meta({ description: 'Commands that run on, by name' }),
} as const

/** The same as they are stored. */
export const declaredProcessesSchema = z.object({
  tasks: z.record(z.string(), taskDefinitionSchema).default({}),
  services: z.record(z.string(), serviceDefinitionSchema).default({}),
})
export type DeclaredProcesses = z.infer<typeof declaredProcessesSchema>

interface Linked {
  dependsOn: readonly string[]
  secrets: readonly string[]
  on: string
}
type Declared = Readonly<Record<'tasks' | 'services', Readonly<Record<string, Linked>>>>

/** Something that no single field shows to be wrong. */
export interface ProcessFault {
  path: (string | number)[]
  message: string
}

/** Refuses names that are taken twice, dependencies that are not there, and circles of them. */
export function refuseUnfitProcesses(declared: Declared, context: z.core.$RefinementCtx<unknown>): void {
  for (const { path, message } of processFaults(declared)) context.addIssue({ code: 'custom', path, message })
}

export function processFaults({ tasks, services }: Declared): ProcessFault[] {
  const faults: ProcessFault[] = []
  const all = new Map<string, Linked & { kind: string }>()
  for (const [name, one] of Object.entries(tasks)) all.set(name, { kind: 'tasks', ...one })
  for (const [name, one] of Object.entries(services)) all.set(name, { kind: 'services', ...one })
  const count = Object.keys(tasks).length + Object.keys(services).length
  // The rest would take its time with very many.
  if (count > processLimits.processes) {
    const message = `must be at most ${processLimits.processes} tasks and services together, these are ${count}`
    return [{ path: ['tasks'], message }]
  }
  for (const name of Object.keys(services))
    if (Object.hasOwn(tasks, name))
      faults.push({ path: ['services', name], message: `must have another name: there is a task ${name}` })
  for (const [name, { kind, dependsOn }] of all) {
    for (const [index, needed] of dependsOn.entries()) {
      const path = [kind, name, 'dependsOn', index]
      if (!all.has(needed))
        faults.push({ path, message: `must be one of the tasks and services: there is no ${needed}` })
      const circle = circleThrough(name, needed, all)
      if (circle !== null)
        faults.push({ path, message: `must not lead back to ${name}: ${circle.join(' -> ')}` })
    }
  }
  return [...faults, ...secretFaults(all)]
}

/** A prebuild is told no secrets, so what it runs cannot ask for any. */
function secretFaults(all: ReadonlyMap<string, Linked & { kind: string }>): ProcessFault[] {
  const inPrebuild = new Set<string>()
  const visit = (name: string): void => {
    if (inPrebuild.has(name)) return
    inPrebuild.add(name)
    for (const needed of all.get(name)?.dependsOn ?? []) visit(needed)
  }
  for (const [name, { on }] of all) if (on === 'prebuild') visit(name)
  return [...inPrebuild].flatMap((name) => {
    const one = all.get(name)
    if (one === undefined || one.secrets.length === 0) return []
    const message = 'must be none: it runs while a prebuild is made, which is told no secrets'
    return [{ path: [one.kind, name, 'secrets'], message }]
  })
}

/** The way from a name over one that it depends on back to itself; null where there is none. */
function circleThrough(name: string, needed: string, all: ReadonlyMap<string, Linked>): string[] | null {
  const seen = new Set<string>()
  const search = (at: string, way: readonly string[]): string[] | null => {
    if (at === name) return [...way, at]
    if (seen.has(at)) return null
    seen.add(at)
    for (const next of all.get(at)?.dependsOn ?? []) {
      const found = search(next, [...way, at])
      if (found !== null) return found
    }
    return null
  }
  return search(needed, [name])
}
