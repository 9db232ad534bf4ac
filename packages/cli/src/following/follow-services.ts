import type { HearthClient } from '@hearth/client'
import type { Service } from '@hearth/contract'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { failureText } from '../output/describe.ts'
import { phaseTone } from '../output/phase-tone.ts'
import { type Report, runTasks } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { serviceChange, serviceStage } from './service-state.ts'
import { ServiceWatch } from './service-watch.ts'

/**
 * Shows the services that begin in members of pools live, until each is ready. Throws with the cause and the last lines of
 * output of those that have failed. Shows nothing where there are none.
 */
export async function followServices(
  client: HearthClient,
  poolIds: readonly string[],
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  if (poolIds.length === 0) return
  const watch = new ServiceWatch(client, poolIds)
  const progress = new ServicesProgress(watch, terminal)
  const watching = watch.follow(signal, () => progress.tell())
  await Promise.race([watching, progress.begun])
  if (watch.state.services.length + progress.missing === 0) return watching
  const work = async (report: Report) => {
    progress.show(report)
    await watching
    const failed = watch.state.services.filter(({ status }) => status.phase === 'failed')
    if (failed.length > 0) throw new Error('services failed')
    return `services: ${watch.state.services.length} ready`
  }
  const [shown] = await Promise.allSettled([
    runTasks(terminal, [{ title: 'services', work }], { concurrent: false }),
    watching,
  ])
  await watching
  const lines = watch.state.services.flatMap((service) =>
    failureLines(service, progress.nameOf(service), terminal),
  )
  if (lines.length > 0) throw new CommandError(lines.join('\n'), exitCodes.failure)
  if (shown.status === 'rejected') throw shown.reason
}

class ServicesProgress {
  /** Resolves once something was read. */
  readonly begun: Promise<void>
  #begin: () => void = () => undefined
  #report: Report | null = null
  readonly #told = new Map<string, Service>()

  constructor(
    private readonly watch: ServiceWatch,
    private readonly terminal: Terminal,
  ) {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve
    })
  }

  /** How many services are expected that are not there yet. */
  get missing(): number {
    const { machines, services } = this.watch.state
    return Math.max(0, machines.reduce((sum, { expected }) => sum + expected.length, 0) - services.length)
  }

  show(report: Report): void {
    this.#report = report
    this.tell()
  }

  tell(): void {
    this.#begin()
    if (this.#report === null) return
    const { services } = this.watch.state
    for (const service of services) {
      const line = serviceChange(this.#told.get(service.metadata.id), service, this.#machineOf(service))
      this.#told.set(service.metadata.id, service)
      if (line !== null) this.#report.event(line)
    }
    const lines = services.map((service) =>
      this.terminal.tone(
        phaseTone(service.status.phase),
        `${this.nameOf(service)}: ${serviceStage(service)}`,
      ),
    )
    this.#report.state(lines.join('\n'))
  }

  nameOf(service: Service): string {
    return `${this.#machineOf(service)}/${service.metadata.name}`
  }

  #machineOf({ spec }: Service): string {
    const machine = this.watch.state.machines.find(
      ({ environment }) => environment.metadata.id === spec.environmentId,
    )
    return machine?.environment.metadata.name ?? spec.environmentId
  }
}

function failureLines({ status }: Service, name: string, terminal: Terminal): string[] {
  if (status.phase !== 'failed') return []
  return [
    `service ${name}:`,
    ...(status.failure === null ? ['failed'] : [failureText(terminal, status.failure)]),
  ]
}
