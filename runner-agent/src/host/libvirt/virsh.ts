import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

/** One libvirt connection, used through virsh. */
export class Virsh {
  constructor(
    private readonly runner: CommandRunner,
    readonly uri: string,
  ) {}

  /** Runs one virsh command. Throws HostError with libvirt's message when libvirt refuses. */
  async run(...command: [string, ...string[]]): Promise<string> {
    const result = await this.try(...command)
    if (result.error !== null) throw new HostError('host_refused', `virsh ${command[0]}: ${result.error}`)
    return result.output
  }

  async try(...command: [string, ...string[]]): Promise<{ output: string; error: string | null }> {
    // A start may first have to query QEMU's capabilities, which takes long on a busy host.
    return this.tryFor(180_000, ...command)
  }

  async tryFor(
    timeoutMilliseconds: number,
    ...command: [string, ...string[]]
  ): Promise<{ output: string; error: string | null }> {
    const result = await this.runner.run(['virsh', '-q', '-c', this.uri, ...command], { timeoutMilliseconds })
    if (result.exitCode === 0) return { output: result.stdout.trim(), error: null }
    return { output: result.stdout.trim(), error: readable(result.stderr) }
  }

  /** Hands over libvirt's domain events, one line per event, until the signal aborts or the stream ends. */
  followEvents(line: (text: string) => void, signal: AbortSignal): Promise<void> {
    return this.runner.follow(['virsh', '-q', '-c', this.uri, ...lifecycleEvents], line, signal)
  }

  /** The same for one domain, with the time of each event. */
  followEventsOf(domain: string, line: (text: string) => void, signal: AbortSignal): Promise<void> {
    const command = [...lifecycleEvents, '--domain', domain, '--timestamp']
    return this.runner.follow(['virsh', '-q', '-c', this.uri, ...command], line, signal)
  }

  /**
   * Runs many virsh commands in few processes and returns the output of each, in order; a failed command has empty
   * output. Names in the commands must contain neither blanks nor quotes.
   */
  async batch(commands: readonly string[]): Promise<string[]> {
    const outputs: string[] = []
    for (let from = 0; from < commands.length; from += commandsAtOnce) {
      outputs.push(...(await this.runTogether(commands.slice(from, from + commandsAtOnce))))
    }
    return outputs
  }

  private async runTogether(commands: readonly string[]): Promise<string[]> {
    const script = commands.map((command) => `echo ${separator}; ${command}`).join('; ')
    const result = await this.runner.run(['virsh', '-q', '-c', this.uri, script], {
      outputLimitBytes: 64 * 1024 * 1024,
    })
    const parts = result.stdout.split(separator).slice(1)
    if (parts.length !== commands.length) {
      throw new HostError('host_refused', `virsh: ${readable(result.stderr)}`)
    }
    // "Not found" is a valid answer here; any other error must not be mistaken for it.
    const wrong = result.stderr.split('\n').filter((line) => line.trim() !== '' && !isAbsence(line))
    if (wrong.length > 0) {
      throw new HostError('host_refused', `virsh: ${readable(result.stderr)}`)
    }
    return parts.map((part) => part.trim())
  }
}

const lifecycleEvents = ['event', '--event', 'lifecycle', '--loop']

const separator = '@@hearth@@'
/** One argument of a program may be 128 KiB long. */
const commandsAtOnce = 400

function isAbsence(line: string): boolean {
  return /^error: (failed to get domain|Domain not found|metadata not found|Requested metadata element|Requested operation is not valid: domain is not running)/i.test(
    line,
  )
}

function readable(stderr: string): string {
  return (
    stderr
      .replace(/^error: /gm, '')
      .trim()
      .split('\n')
      .filter(Boolean)
      .join('; ') || 'no reason given'
  )
}
