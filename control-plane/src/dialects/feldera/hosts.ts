import { assertNever } from '@hearth/foundation'
import type { Services } from '../../api/services.ts'
import { runners } from '../../kinds/runner/index.ts'

/** Of runners whose agents answer, the soundest first. */
const answering = ['active', 'degraded', 'draining'] as const

export interface AnsweringRunner {
  name: string
  phase: (typeof answering)[number]
}

/** Null where no runner's agent answers. */
export async function soundestRunner(
  queryable: Services['database'],
  organizationId: string,
): Promise<AnsweringRunner | null> {
  for (const phase of answering) {
    const [row] = await runners.list(queryable, { organizationId, limit: 1 }, { phase })
    if (row !== undefined) return { name: row.name, phase }
  }
  return null
}

export function hostsMessage(runner: AnsweringRunner | null): string {
  if (runner === null) return 'no runner answers: nothing can be compiled or run'
  const { name, phase } = runner
  switch (phase) {
    case 'active':
      return `runner ${name} is active`
    case 'degraded':
      return `the runners are degraded, such as ${name}: machines keep failing there`
    case 'draining':
      return `the runners are draining, such as ${name}: what runs goes on, nothing new is begun`
    default:
      return assertNever(phase)
  }
}
