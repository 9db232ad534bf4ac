import type { TiltSession } from './translate.ts'

const column = (name: string, type: string, description: string, format = '') => ({
  name,
  type,
  format,
  description,
  priority: 0,
})
const columnDefinitions = [
  column('Name', 'string', 'Name of the session', 'name'),
  column('Condition', 'string', 'When it is done'),
  column('Done', 'boolean', 'Whether it is done'),
  column('Targets', 'string', 'How many targets are well, of how many'),
  column('Error', 'string', 'Why it is done without all being well'),
  column('Age', 'string', 'Since when there is the session'),
]

/** How much of its object a row carries. */
export type IncludedObject = 'None' | 'Metadata' | 'Object'

interface TableOptions {
  apiVersion: string
  include: IncludedObject
  now: Date
}

/** Sessions as kubectl prints them. */
export function toTable(
  sessions: readonly TiltSession[],
  metadata: Readonly<Record<string, string>>,
  { apiVersion, include, now }: TableOptions,
): object {
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions,
    rows: sessions.map((session) => ({
      cells: cellsOf(session, now),
      object: included(session, include, apiVersion),
    })),
  }
}

function cellsOf({ metadata, spec, status }: TiltSession, now: Date): (string | boolean)[] {
  const well = status.targets.filter(isWell).length
  return [
    metadata.name,
    spec.exitCondition,
    status.done,
    `${well}/${status.targets.length}`,
    status.error ?? '',
    age(metadata.creationTimestamp, now),
  ]
}

function isWell({ type, state }: TiltSession['status']['targets'][number]): boolean {
  if (state.terminated !== undefined) return state.terminated.error === undefined
  if (state.active !== undefined) return type === 'server' && state.active.ready
  return state.waiting === undefined
}

function included(session: TiltSession, include: IncludedObject, apiVersion: string): object | null {
  switch (include) {
    case 'None':
      return null
    case 'Object':
      return session
    case 'Metadata':
      return { kind: 'PartialObjectMetadata', apiVersion, metadata: session.metadata }
  }
}

/** As Kubernetes writes it: `12s`, `5m`, `3h`, `9d`. */
function age(then: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(then)) / 1_000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
