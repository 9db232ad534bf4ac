import type { CommandRunner } from '../command/command-runner.ts'
import { HostError } from '../host-error.ts'

/** One libvirt connection, spoken to through virsh. */
export class Virsh {
  constructor(
    private readonly runner: CommandRunner,
    readonly uri: string,
  ) {}

  /** Runs one virsh command. Throws HostError with libvirt's own words when it is refused. */
  async run(...command: [string, ...string[]]): Promise<string> {
    const result = await this.try(...command)
    if (result.error !== null) throw new HostError('host_refused', `virsh ${command[0]}: ${result.error}`)
    return result.output
  }

  async try(...command: [string, ...string[]]): Promise<{ output: string; error: string | null }> {
    // A start may have to ask QEMU what it can do first, which takes long on a busy host.
    const result = await this.runner.run(['virsh', '-q', '-c', this.uri, ...command], {
      timeoutMilliseconds: 180_000,
    })
    if (result.exitCode === 0) return { output: result.stdout.trim(), error: null }
    return { output: result.stdout.trim(), error: readable(result.stderr) }
  }

  /** Hands over what libvirt tells of its domains, a line for each event, until the signal aborts or it ends. */
  followEvents(line: (text: string) => void, signal: AbortSignal): Promise<void> {
    const command = ['virsh', '-q', '-c', this.uri, 'event', '--event', 'lifecycle', '--loop'] as const
    return this.runner.follow(command, line, signal)
  }

  /**
   * Runs many commands in few processes and gives what each printed, in order; one that failed printed nothing.
   * Names in them must hold neither blanks nor quotes.
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
    // "Not there" is an answer here; anything else that is wrong must not be taken for it.
    const wrong = result.stderr.split('\n').filter((line) => line.trim() !== '' && !isAbsence(line))
    if (wrong.length > 0) {
      throw new HostError('host_refused', `virsh: ${readable(result.stderr)}`)
    }
    return parts.map((part) => part.trim())
  }
}

const separator = '@@hearth@@'
/** One argument of a program may be 128 KiB long. */
const commandsAtOnce = 400

function isAbsence(line: string): boolean {
  return /^error: (failed to get domain|Domain not found|metadata not found|Requested metadata element)/i.test(
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
