import { toError } from '@hearth/foundation'
import { identityOf, isAlive, type ProcessIdentity } from '../process/identity.ts'

interface Service {
  pid: number
  stop(): Promise<void>
}

/**
 * Keeps an embedded server running. It may have been started by an earlier run, and the system reports the end of
 * such a process to nobody, so it is checked every second.
 */
export class KeptService<Running extends Service> {
  readonly #name: string
  readonly #open: () => Promise<Running>
  readonly #note: (text: string) => void
  #running: Running
  #identity: ProcessIdentity | null
  #timer: NodeJS.Timeout
  #restarting: Promise<void> = Promise.resolve()
  #starting = false
  #stopping = false

  private constructor(
    name: string,
    open: () => Promise<Running>,
    note: (text: string) => void,
    running: Running,
  ) {
    this.#name = name
    this.#open = open
    this.#note = note
    this.#running = running
    this.#identity = identityOf(running.pid)
    this.#timer = setInterval(() => this.#look(), 1_000)
  }

  static async start<Running extends Service>(
    name: string,
    open: () => Promise<Running>,
    note: (text: string) => void,
  ): Promise<KeptService<Running>> {
    return new KeptService(name, open, note, await open())
  }

  get current(): Running {
    return this.#running
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await this.#restarting
    await this.#running.stop()
  }

  #look(): void {
    if (this.#stopping || this.#starting || (this.#identity !== null && isAlive(this.#identity))) return
    this.#note(`${this.#name} ended; starting it again`)
    this.#starting = true
    this.#restarting = this.#open().then(
      (running) => {
        this.#running = running
        this.#identity = identityOf(running.pid)
        this.#starting = false
        this.#note(`${this.#name} runs again (process id ${running.pid})`)
      },
      (error: unknown) => {
        this.#note(`${this.#name} could not be started: ${toError(error).message}; trying again in 5 s`)
        setTimeout(() => {
          this.#starting = false
        }, 5_000).unref()
      },
    )
  }
}
