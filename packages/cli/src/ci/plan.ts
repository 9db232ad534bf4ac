import type { DeclaredProcesses, ServiceDefinition, TaskDefinition } from '@hearth/contract'
import { canonicalJson } from '@hearth/foundation'
import { CommandError, exitCodes } from '../exit-codes.ts'

/** One task or service as it is run in the machine. */
export type Planned = PlannedName & Definition

interface PlannedName {
  /** As it is called in the project file. */
  name: string
  /** As it is called in the machine: another name where the project declares something else under its own. */
  inMachine: string
  isMade: boolean
}

export interface Plan {
  /** What is started, in an order in which each comes after what it depends on. */
  all: Planned[]
  /** The tasks that were asked for, by their names in the project file. */
  wanted: string[]
}

/** Put before a name that the project declares otherwise. */
const prefix = 'ci-'

/**
 * What the caller's project file wants to be run, given what the machine has been made with: what is the same there is
 * used, what differs or depends on something that differs is made beside it. What names no folder runs in that of the
 * commit, which may be another than the `usual` one of the machine.
 */
export function planTasks(
  names: readonly string[],
  file: DeclaredProcesses,
  inMachine: DeclaredProcesses,
  folders: { commit: string; usual: string },
): Plan {
  const wanted = names.length > 0 ? [...names] : defaultTasks(file.tasks)
  for (const name of wanted) {
    if (Object.hasOwn(file.tasks, name)) continue
    const known = Object.keys(file.tasks)
    const there = known.length === 0 ? 'it has none' : `there are ${known.join(', ')}`
    throw new CommandError(`the project file has no task ${name}: ${there}`, exitCodes.badInput)
  }
  const all: Planned[] = []
  const visit = (name: string): Planned | null => {
    const before = all.find((one) => one.name === name)
    if (before !== undefined) return before
    const own = definitionOf(file, name)
    if (own === null) return null
    const isMoved = own.definition.folder === null && folders.commit !== folders.usual
    const folder = isMoved ? folders.commit : own.definition.folder
    const needed = own.definition.dependsOn.flatMap((each) => visit(each) ?? [])
    const isSame = canonicalJson(own) === canonicalJson(definitionOf(inMachine, name))
    const isMade = !isSame || isMoved || needed.some((one) => one.isMade)
    const isTaken = definitionOf(inMachine, name) !== null
    const named = { name, inMachine: isMade && isTaken ? `${prefix}${name}`.slice(0, 63) : name, isMade }
    const dependsOn = needed.map((one) => one.inMachine)
    const planned: Planned =
      own.kind === 'tasks'
        ? { ...named, kind: own.kind, definition: { ...own.definition, folder, dependsOn } }
        : { ...named, kind: own.kind, definition: { ...own.definition, folder, dependsOn } }
    all.push(planned)
    return planned
  }
  for (const name of wanted) visit(name)
  return { all, wanted }
}

type Definition =
  | { kind: 'tasks'; definition: TaskDefinition }
  | { kind: 'services'; definition: ServiceDefinition }

function definitionOf({ tasks, services }: DeclaredProcesses, name: string): Definition | null {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
  if (task !== undefined) return { kind: 'tasks', definition: task }
  const service = Object.hasOwn(services, name) ? services[name] : undefined
  return service === undefined ? null : { kind: 'services', definition: service }
}

/** Those on which no other depends, and which neither a schedule nor a prebuild runs. */
function defaultTasks(tasks: Readonly<Record<string, TaskDefinition>>): string[] {
  const needed = new Set(Object.values(tasks).flatMap(({ dependsOn }) => dependsOn))
  const names = Object.entries(tasks)
    .filter(([name, { on }]) => !needed.has(name) && on !== 'cron' && on !== 'prebuild')
    .map(([name]) => name)
  if (names.length > 0) return names
  throw new CommandError('the project file has no task to run: declare one in `tasks`', exitCodes.badInput)
}
