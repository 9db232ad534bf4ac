import type { Notice } from '@hearth/contract'
import { toError } from '@hearth/foundation'
import type { Machine } from '../../host/machine.ts'
import { quote } from '../../secure-shell/quote.ts'
import type { EnvironmentParts } from './environment-parts.ts'

const tellSeconds = 60

/**
 * Tells whoever has a shell in the guest. The guest's own ledger of steps holds that it was told, so that nobody is told
 * twice, also by another agent. A guest that cannot be told is left alone.
 */
export async function tellInGuest(
  { task, context, guest, record }: EnvironmentParts,
  { key, text }: Notice,
  machine: Machine,
): Promise<void> {
  const step = {
    key: `notice-${key}`,
    folder: '/',
    commands: [{ name: 'notice', command: `printf '%s\\n' ${quote(text)} | wall`, timeoutSeconds: null }],
    limitSeconds: tellSeconds,
    onlyWithExecutable: null,
    syncs: false,
  }
  const within = AbortSignal.any([task.interrupted, AbortSignal.timeout(tellSeconds * 1000)])
  try {
    const { guest: opened } = guest.open(machine)
    for await (const event of opened.runSteps([step], task.order, within)) {
      if (event.kind === 'outcome' && event.outcome.kind !== 'succeeded')
        context.log.warn(
          { environmentId: task.order.id, outcome: event.outcome },
          'nobody in the guest was told',
        )
    }
  } catch (thrown) {
    if (task.interrupted.aborted) throw thrown
    context.log.warn({ environmentId: task.order.id, error: toError(thrown) }, 'the guest could not be told')
  }
  await record.keep({ toldNotice: key })
}
