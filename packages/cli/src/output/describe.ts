import type { Failure, Metadata } from '@hearth/contract'
import { stringify } from 'yaml'
import { formatAge } from './duration.ts'
import type { Terminal } from './terminal.ts'

export interface Resource {
  kind: string
  metadata: Metadata
  spec: unknown
  status: { phase: string; failure: Failure | null }
}

/** Name and value lines, the values in one column. */
export function fields(pairs: readonly (readonly [string, string | null])[]): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${value}`).join('\n')
}

export function headFields(resource: Resource, now: Date): (readonly [string, string | null])[] {
  const { metadata } = resource
  const labels = Object.entries(metadata.labels).map(([key, value]) => `${key}=${value}`)
  return [
    ['Kind', resource.kind],
    ['Name', metadata.name],
    ['Id', metadata.id],
    ['Created', `${metadata.createdAt} (${formatAge(metadata.createdAt, now)} ago)`],
    ['Labels', labels.length === 0 ? null : labels.join(', ')],
  ]
}

/** Why the resource failed, with the last output of the failed step. */
export function failureText(terminal: Terminal, failure: Failure): string {
  const step = failure.step === undefined ? '' : ` in ${failure.step}`
  const lines = (failure.lastLines ?? []).map((line) => `  | ${line}`)
  return [terminal.tone('bad', `Failed${step} (${failure.code}): ${failure.message}`), ...lines].join('\n')
}

/** For kinds without a presentation of their own: the whole resource as YAML. */
export function describePlain(resource: Resource, terminal: Terminal, now: Date): string {
  const parts = [
    fields([...headFields(resource, now), ['Phase', resource.status.phase]]),
    section('Spec', resource.spec),
    section('Status', resource.status),
  ]
  if (resource.status.failure !== null) parts.push(failureText(terminal, resource.status.failure))
  return parts.join('\n')
}

export function section(title: string, value: unknown): string {
  const text = stringify(value, { lineWidth: 0 }).trimEnd()
  return `${title}:\n${text.replace(/^/gm, '  ')}`
}
