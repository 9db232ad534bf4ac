import { setTimeout as delay } from 'node:timers/promises'
import { environmentWork, isReportOf, type ReportEnvelope } from '@hearth/contract'
import type { Messaging } from '@hearth/messaging'
import { compose, createLogger, readConfig, runAgent } from '@hearth/runner-agent'
import type { FleetCommand, FleetNews } from './fleet-messages.ts'

/** Several shipped agents in one process, each with the shipped synthetic host; controlled over IPC. */
const ready: { id: string; look(): void }[] = []
let stamping = false
let stamped = 0

process.on('message', (command: FleetCommand) => {
  if (command.do === 'report') void report(command)
  else void startAll(command.stateFolders)
})
process.on('disconnect', () => process.exit())

/** One after another: hundreds of simultaneous registrations are not what is measured. */
async function startAll(stateFolders: readonly string[]): Promise<void> {
  for (const stateFolder of stateFolders)
    await new Promise<void>((resolve) => void start(stateFolder, resolve))
}

async function start(stateFolder: string, registered: () => void): Promise<void> {
  const config = readConfig({
    ...process.env,
    HEARTH_AGENT_STATE: stateFolder,
    HEARTH_AGENT_HOST: 'synthetic',
  })
  const parts = await compose(config, createLogger(config))
  const known = new Set<string>()
  let look: (environmentId: string) => void = () => undefined
  const watch = parts.host.machines.watch.bind(parts.host)
  parts.host.machines.watch = (changed, signal) => {
    look = changed
    return watch(changed, signal)
  }
  await runAgent(
    {
      ...parts,
      connect: async (options) => {
        registered()
        const messaging = await parts.connect(options)
        return {
          ...messaging,
          publishReport: (sent) => {
            if (sent.phase === 'running' && !known.has(sent.id)) {
              known.add(sent.id)
              ready.push({ id: sent.id, look: () => look(sent.id) })
            }
            return messaging.publishReport(stamping ? stamp(sent) : sent)
          },
          requestSync: (request, timeout) => sync(messaging, request, timeout, stateFolder),
        }
      },
    },
    new AbortController().signal,
  )
}

/** Makes every report differ from the last, and tells for every event when its report was sent. */
function stamp(report: ReportEnvelope): ReportEnvelope {
  if (!isReportOf(environmentWork, report) || report.identity === null) return report
  stamped += 1
  const identity = { ...report.identity, checkedAt: new Date().toISOString() }
  return Object.assign({}, report, { identity })
}

async function sync(
  messaging: Messaging,
  request: Parameters<Messaging['requestSync']>[0],
  timeout: number,
  stateFolder: string,
) {
  const reply = await messaging.requestSync(request, timeout)
  tell({ said: 'synced', stateFolder, at: Date.now() })
  return reply
}

async function report({ perSecond, seconds }: Extract<FleetCommand, { do: 'report' }>): Promise<void> {
  stamping = true
  stamped = 0
  const total = perSecond * seconds
  const began = performance.now()
  for (let count = 0; count < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond))
    for (; count < due; count += 1) ready[count % ready.length]?.look()
    await delay(10)
  }
  // The last reports are on their way: an agent reads files before it reports.
  for (let before = -1; before !== stamped; ) {
    before = stamped
    await delay(500)
  }
  stamping = false
  tell({ said: 'reported', count: stamped })
}

function tell(news: FleetNews): void {
  process.send?.(news)
}
