import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleProgram } from '../../chaos/world/bundle.ts'
import { AgentProcess } from '../agent-process.ts'
import { type HardwareHost, type JoinedRunner, untilActive } from '../host.ts'
import { killSetting, type WorkKill } from './kill.ts'

const program = join(import.meta.dirname, '../../../runner-agent/dist', `killable-${process.pid}.mjs`)

/** Resolves with what removes the bundle again. */
export async function bundleKillableAgent(): Promise<AsyncDisposable> {
  await bundleProgram(join(import.meta.dirname, 'agent.ts'), program)
  return { [Symbol.asyncDispose]: () => rm(program, { force: true }) }
}

/** An agent that kills itself as it is told, each time that it is started. */
export class KillableAgent {
  private readonly process: AgentProcess
  private readonly name: string
  /** Where it is to kill itself; null when it has, or is to live on. */
  armed: WorkKill | null = null

  constructor(
    private readonly host: HardwareHost,
    readonly joined: JoinedRunner,
  ) {
    this.name = joined.runner.metadata.name
    this.process = new AgentProcess(joined.environment, join(host.folder, `${this.name}.log`), program)
  }

  get runnerId(): string {
    return this.joined.runner.metadata.id
  }

  folder(name: 'environments' | 'layers'): string {
    return join(this.joined.stateFolder, name)
  }

  /** Starts it, or starts it anew where it is to kill itself elsewhere. Resolves when the control plane has heard it. */
  async start(kill: WorkKill | null): Promise<void> {
    await this.process.stop()
    const { status } = await this.host.client.runners.get(this.name)
    await this.process.start(kill === null ? {} : { [killSetting]: JSON.stringify(kill) })
    this.armed = kill
    await untilActive(this.host.client, this.name, status.epoch)
  }

  /** Waits for the result or for its death, whichever comes first. Resolves with whether it died. */
  async diesBefore(result: Promise<unknown>): Promise<boolean> {
    // Where it fails after that, it is awaited elsewhere.
    result.catch(() => undefined)
    const died = await Promise.race([this.process.ended.then(() => true), result.then(() => false)])
    if (died) this.armed = null
    return died
  }

  stop(): Promise<void> {
    return this.process.stop()
  }

  log(): Promise<string> {
    return this.process.log()
  }
}
