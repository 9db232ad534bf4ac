import type { HearthClient } from '@hearth/client'
import { type Prebuild, prebuildSchema } from '@hearth/contract'
import type { Clock } from '@hearth/foundation'
import type { Terminal } from '../output/terminal.ts'
import { followResource } from './follow-resource.ts'

/** Waits until the memory of a machine that booted from a completed prebuild is kept on a runner, or cannot be. */
export function followTemplate(
  client: HearthClient,
  prebuild: Prebuild,
  options: { terminal: Terminal; clock: Clock; signal: AbortSignal },
): Promise<Prebuild> {
  const title = `memory of a machine from prebuild ${prebuild.metadata.name}`
  return followResource<Prebuild>(
    client,
    prebuild,
    {
      kind: 'Prebuild',
      schema: prebuildSchema,
      title,
      read: (id, reading) => client.prebuilds.get(id, reading),
      hasEnded: ({ status }) =>
        status.phase !== 'completed' ||
        (status.templates.length > 0 &&
          status.templates.every(({ phase }) => phase === 'ready' || phase === 'failed')),
      isGood: ({ status }) => status.templates.some(({ phase }) => phase === 'ready'),
      summary: () => `${title}: kept`,
      draw: stage,
      changes: (before, next) => (stage(before) === stage(next) ? [] : [`${title}: ${stage(next)}`]),
    },
    options,
  )
}

const stage = ({ status }: Prebuild): string => status.templates[0]?.phase ?? 'pending'
