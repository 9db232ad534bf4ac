import { HearthError } from '@hearth/foundation'
import { type Invocation, stateFolder } from '../invocation.ts'
import { run } from '../process/run.ts'
import { configurationFile } from '../ssh/access.ts'
import { sshAlias } from '../ssh/configuration.ts'
import { shellQuote } from '../ssh/quote.ts'

/** The machine in which everything runs, as ssh reaches it. */
export class Machine {
  /** Of ssh: the address, the key, the certificate and the only host key to accept. */
  readonly configuration: string

  constructor(
    private readonly invocation: Invocation,
    accessId: string,
  ) {
    this.configuration = configurationFile(stateFolder(invocation), accessId)
  }

  /** Runs a line of shell; rejects with what it said when it failed. */
  async shell(what: string, command: string): Promise<string> {
    const { signal, config } = this.invocation
    const words = ['-F', this.configuration, '-T', sshAlias, '--', command]
    const { exitCode, stdout, stderr } = await run('ssh', words, { signal, environment: config.variables })
    signal.throwIfAborted()
    if (exitCode === 0) return stdout
    throw new HearthError('conflict', `${what} failed: ${stderr.trim() || `exit ${exitCode}`}`)
  }

  /** For git, which takes it as a line of shell. */
  get gitVariables(): Record<string, string> {
    return { GIT_SSH_COMMAND: `ssh -F ${shellQuote(this.configuration)}`, GIT_SSH_VARIANT: 'ssh' }
  }

  addressOf(folder: string): string {
    return `ssh://${sshAlias}${folder}`
  }
}
