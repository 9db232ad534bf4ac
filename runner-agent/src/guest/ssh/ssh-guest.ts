import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { HostKeyMismatch, SecureShellConnection } from '../../secure-shell/connection.ts'
import { quote } from '../../secure-shell/quote.ts'
import {
  type Guest,
  type GuestEvidence,
  type GuestMachine,
  type GuestStep,
  GuestUnreachable,
  type StepOutcome,
} from '../guest.ts'
import { waitForAnswer } from './answering.ts'
import { identify } from './identify.ts'
import { parseStepOutcome } from './step-outcome.ts'
import { buildLauncher, buildStepScript, guestPaths } from './step-script.ts'

export interface SshGuestOptions {
  /** OpenSSH private key of the agent. */
  privateKey: string
  connect(host: string, port: number): Promise<Duplex>
  clock: { now(): Date }
}

const retryMilliseconds = 500
/** Of the launcher: the script did not arrive whole. */
const cutOffExitCode = 75

/** The inside of a machine, over one kept SSH connection. The login shell of its user is bash. */
export class SshGuest implements Guest {
  private connection: SecureShellConnection | null = null

  constructor(
    private readonly machine: GuestMachine,
    private readonly options: SshGuestOptions,
  ) {}

  identify(signal: AbortSignal): Promise<GuestEvidence> {
    return this.retrying(signal, async (connection) => {
      try {
        return await identify(connection, this.machine, this.options.clock, signal)
      } catch (thrown) {
        // A check that was cut is done again from the start.
        connection.close()
        throw thrown
      }
    })
  }

  writeEnvironmentFile(content: string, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.from(content)
    const path = quote(guestPaths.environmentFile)
    const draft = quote(`${guestPaths.environmentFile}.new`)
    const script = [
      'umask 077',
      `IFS= LC_ALL=C read -r -d '' -N ${bytes.length} content`,
      // The length is checked because a cut connection also ends the input.
      `LC_ALL=C; [ \${#content} = ${bytes.length} ] && printf %s "$content" >${draft} && mv -- ${draft} ${path}`,
    ].join('\n')
    return this.retrying(signal, async (connection) => {
      const execution = await connection.execute(script, { input: bytes, signal })
      const exitCode = await execution.exitCode
      if (exitCode !== 0)
        throw new Error(`${guestPaths.environmentFile} could not be written (exit ${exitCode})`)
    })
  }

  runStep(step: GuestStep, onOutput: (chunk: Buffer) => void, signal: AbortSignal): Promise<StepOutcome> {
    const script = Buffer.from(buildStepScript(step))
    let offset = 0
    return this.retrying(signal, async (connection) => {
      let ending = ''
      const launcher = buildLauncher(step.key, script.length, offset)
      const execution = await connection.execute(launcher, {
        input: script,
        onStdout: (chunk) => {
          offset += chunk.length
          onOutput(chunk)
        },
        onStderr: (chunk) => {
          ending += chunk.toString('utf8')
        },
        signal,
      })
      const exitCode = await execution.exitCode
      if (exitCode === cutOffExitCode) throw new Error(`the step could not be started (exit ${exitCode})`)
      return parseStepOutcome(ending)
    })
  }

  async shutDown(signal: AbortSignal): Promise<void> {
    const connection = await this.connected(signal)
    const execution = await connection.execute('systemctl poweroff', { signal })
    // It may be gone before it answers.
    await execution.exitCode.catch(() => undefined)
  }

  close(): void {
    this.connection?.close()
    this.connection = null
  }

  /** Does the work again, over a new connection if need be, until it succeeds or the signal aborts. */
  private async retrying<Result>(
    signal: AbortSignal,
    work: (connection: SecureShellConnection) => Promise<Result>,
  ): Promise<Result> {
    let last: Error | null = null
    for (;;) {
      if (signal.aborted) {
        throw new GuestUnreachable(last?.message ?? 'it did not answer', { cause: signal.reason })
      }
      try {
        return await work(await this.connected(signal))
      } catch (thrown) {
        if (thrown instanceof HostKeyMismatch) throw thrown
        if (!signal.aborted) last = toError(thrown)
        await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  private async connected(signal: AbortSignal): Promise<SecureShellConnection> {
    if (this.connection?.isOpen === true) return this.connection
    const { address } = this.machine
    const stream = await waitForAnswer(() => this.options.connect(address.host, address.port), signal)
    const connection = await SecureShellConnection.open({
      ...address,
      stream,
      privateKey: this.options.privateKey,
    })
    if (signal.aborted) {
      connection.close()
      signal.throwIfAborted()
    }
    this.connection = connection
    return connection
  }
}
