import { addressesOf } from '@hearth/client'
import type { Check, Finding } from '../finding.ts'

const check = 'clock'

export const clockCheck: Check = {
  name: check,
  async examine({ context, now }) {
    if (context === null) return []
    const [url = context.url] = addressesOf(context.url)
    const answer = await fetch(`${url}/healthz/live`, { signal: AbortSignal.timeout(5_000) }).catch(
      () => null,
    )
    await answer?.arrayBuffer().catch(() => undefined)
    const date = answer?.headers.get('date') ?? null
    // Another check reports that nobody answers.
    return date === null ? [] : [judgeClock(Date.parse(date), now().getTime())]
  },
}

/**
 * The Date header has whole seconds and is as old as the answer, so a difference of a second and a half proves
 * nothing.
 */
export function judgeClock(serverMilliseconds: number, ownMilliseconds: number): Finding {
  const difference = ownMilliseconds - serverMilliseconds
  const seconds = Math.round(Math.abs(difference) / 1_000)
  const way = difference > 0 ? 'ahead of' : 'behind'
  const remedy = 'set the clock of both machines by NTP, for example with systemd-timesyncd or chrony'
  if (Math.abs(difference) <= 2_000) {
    return { check, level: 'ok', message: "this machine's clock and the control plane's agree" }
  }
  const message = `this machine's clock is ${seconds} s ${way} the control plane's`
  if (Math.abs(difference) <= 30_000) return { check, level: 'warning', message, remedy }
  return {
    check,
    level: 'problem',
    message: `${message}: certificates begin and end at the wrong time`,
    remedy,
  }
}
