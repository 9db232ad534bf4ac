import type { Failure, ProcessPhase } from '@hearth/contract'
import { assertNever } from '@hearth/foundation'
import type { ProcessKind } from './table.ts'

interface Dependent {
  kind: ProcessKind
  dependsOn: readonly string[]
}
interface Dependency {
  name: string
  kind: ProcessKind
  phase: ProcessPhase
  /** Whether it is on its way to be deleted or stopped. */
  desired: 'run' | 'stop' | 'delete'
}

/** Whether a process may start: what it waits for, or the failure where waiting would not help. */
export function dependenciesOf(
  { dependsOn, kind }: Dependent,
  others: readonly Dependency[],
): { waitsFor: string | null } | { failure: Failure } {
  let waitsFor: string | null = null
  for (const name of dependsOn) {
    const dependency = others.find((other) => other.name === name)
    if (dependency === undefined) return refused(kind, name, 'which is gone')
    const standing = standingOf(dependency)
    if (standing === 'never') return refused(kind, name, `which ${stateOf(dependency)}`)
    if (standing === 'later') {
      const end = dependency.kind === 'task' ? 'to succeed' : 'to be ready'
      waitsFor ??= `${dependency.kind} ${name} ${end}`
    }
  }
  return { waitsFor }
}

function refused(kind: ProcessKind, name: string, state: string): { failure: Failure } {
  const message = `the ${kind} depends on ${name}, ${state}: start both with \`hearth start\``
  return { failure: { code: 'cancelled', message } }
}

function standingOf({ kind, phase, desired }: Dependency): 'there' | 'later' | 'never' {
  if (kind === 'task' && phase === 'succeeded') return 'there'
  if (desired !== 'run') return 'never'
  switch (phase) {
    case 'running':
      return kind === 'service' ? 'there' : 'later'
    case 'pending':
    case 'starting':
    case 'restarting':
      return 'later'
    case 'idle':
    case 'stopping':
    case 'stopped':
    case 'succeeded':
    case 'failed':
    case 'deleting':
      return 'never'
    default:
      return assertNever(phase)
  }
}

function stateOf({ phase }: Dependency): string {
  switch (phase) {
    case 'failed':
      return 'has failed'
    case 'idle':
      return 'was not started'
    case 'succeeded':
      return 'has ended'
    default:
      return `is ${phase}`
  }
}

interface Linked {
  name: string
  dependsOn: readonly string[]
}

/**
 * The names of those that are to start with the given ones, since these depend on them, in an order in which each comes
 * after what it depends on.
 */
export function withDependencies(names: readonly string[], all: readonly Linked[]): string[] {
  const byName = new Map(all.map((one) => [one.name, one]))
  const ordered = new Set<string>()
  const visit = (name: string, above: readonly string[]): void => {
    if (ordered.has(name) || above.includes(name)) return
    for (const needed of byName.get(name)?.dependsOn ?? []) visit(needed, [...above, name])
    ordered.add(name)
  }
  for (const name of names) visit(name, [])
  return [...ordered]
}
