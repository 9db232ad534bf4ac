import type { Event } from '@hearth/contract'
import { z } from 'zod'
import { phaseTone } from './phase-tone.ts'
import type { Terminal } from './terminal.ts'

// Events may be of any kind; only the fields that a line shows are parsed.
const shownSchema = z.object({
  metadata: z.object({ name: z.string() }).optional(),
  operation: z.string().optional(),
  phase: z.string().optional(),
  status: z.object({ phase: z.string(), failure: z.object({ message: z.string() }).nullish() }).optional(),
})

/** One change in one line: time, verb, resource, and its current phase. */
export function eventLine(event: Event, terminal: Terminal): string {
  const parsed = shownSchema.safeParse(event.resource)
  const shown = parsed.success ? parsed.data : {}
  const phase = shown.status?.phase ?? shown.phase ?? ''
  const failure = shown.status?.failure?.message
  return [
    terminal.tone('quiet', event.time.slice(11, 23)),
    event.verb.padEnd(7),
    event.kind.padEnd(16),
    event.resourceId,
    shown.metadata?.name ?? shown.operation ?? '',
    terminal.tone(phaseTone(phase), phase),
    failure === undefined ? '' : terminal.tone('bad', failure),
  ]
    .filter((part) => part !== '')
    .join('  ')
}
