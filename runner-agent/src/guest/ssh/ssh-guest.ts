import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '@hearth/foundation'
import { processPaths } from '../bash/process-paths.ts'
import { ScriptedCalls } from '../bash/scripted-calls.ts'
import { ScriptedInputs } from '../bash/scripted-inputs.ts'
import type { GuestCalls } from '../call.ts'
import {
  type Guest,
  type GuestEvidence,
  type GuestMachine,
  GuestMisbehaved,
  type GuestStep,
  GuestUnreachable,
  goesOn,
  type IdentityTaking,
  type Origin,
  StaleInGuest,
  type StepEvent,
} from '../guest.ts'
import type { GuestInputs } from '../input.ts'
import type { GuestProcesses } from '../process.ts'
import type { GuestVolumes } from '../volume.ts'
import { buildReader, mostPrintedBytes, parseTexts } from './file-texts.ts'
import { identify } from './identify.ts'
import { launch } from './launch.ts'
import { type Link, Links, retryMilliseconds, type SshGuestOptions } from './links.ts'
import { ownSetUpScript } from './own-set-up.ts'
import { privateFileScript } from './private-file-script.ts'
import { runOverSsh } from './run-over-ssh.ts'
import { runProgram } from './run-program.ts'
import { scrubScript } from './scrub-script.ts'
import { shown } from './shown.ts'
import { SshProcesses } from './ssh-processes.ts'
import { SshVolumes } from './ssh-volumes.ts'
import { parseStaleNumbers } from './step-outcome.ts'
import { buildStepScript, staleExitCode } from './step-script.ts'
import { identityFault, isFinalForFrozen, takeIdentity } from './take-identity.ts'

/**
 * The inside of a machine, over a kept SSH connection. The guest must have /bin/bash, whatever the user's login
 * shell is.
 */
export class SshGuest implements Guest {
  readonly processes: GuestProcesses
  readonly calls: GuestCalls
  readonly volumes: GuestVolumes
  readonly inputs: GuestInputs
  private readonly links: Links
  /** What a call does to its connection is nothing to tasks and services. */
  private readonly callLinks: Links

  constructor(
    private readonly machine: GuestMachine,
    private readonly options: SshGuestOptions,
  ) {
    this.links = new Links(machine, options)
    this.callLinks = new Links(machine, options)
    this.processes = new SshProcesses(this.links)
    this.volumes = new SshVolumes(this.links, machine.address.user)
    this.calls = new ScriptedCalls(runOverSsh(this.callLinks), processPaths)
    this.inputs = new ScriptedInputs(runOverSsh(this.callLinks))
  }

  get connections(): number {
    return this.links.count + this.callLinks.count
  }

  identify(signal: AbortSignal): Promise<GuestEvidence> {
    return this.links.retrying(signal, async ({ connection, shells }) => {
      try {
        return await identify(shells, this.machine, this.options.clock, signal)
      } catch (thrown) {
        // A check whose connection was lost is repeated from the start.
        connection.close()
        throw thrown
      }
    })
  }

  async takeIdentity(taking: IdentityTaking, origin: Origin, signal: AbortSignal): Promise<void> {
    this.close()
    const isFinalHere = (thrown: unknown) => isFinalForFrozen(thrown, taking)
    await this.links.repeating(signal, isFinalHere, async () => {
      const link = await this.openFrozen(taking, signal)
      try {
        await takeIdentity(link.shells, this.machine, taking, origin, this.options.clock, signal)
      } catch (thrown) {
        link.connection.close()
        throw thrown
      }
      // The server of a resumed guest shows its new key to new connections only.
      if (taking.resumed) link.connection.close()
      else this.links.use(link)
    })
    // It shows the former key until it has restarted.
    const never = () => false
    await this.links.repeating(signal, never, () => this.links.connected(signal))
  }

  writePrivateFile(path: string, content: string, origin: Origin, signal: AbortSignal): Promise<void> {
    return this.write({ path, stepKey: null }, content, origin, signal)
  }

  writeFileForStep(
    stepKey: string,
    path: string,
    content: string,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    return this.write({ path, stepKey }, content, origin, signal)
  }

  awaitOwnSetUp(diskGibibytes: number, signal: AbortSignal): Promise<string> {
    return this.links.retrying(signal, async ({ shells }) => {
      const options = { purpose: 'its own set-up', mostBytes: 4096, signal }
      const { exitCode, stdout } = await runProgram(shells, ownSetUpScript(diskGibibytes), options)
      if (exitCode !== 0) throw new Error(`its own set-up could not be waited for (exit ${exitCode})`)
      return stdout.toString('utf8')
    })
  }

  scrub(signal: AbortSignal): Promise<void> {
    return this.links.retrying(signal, async ({ shells }) => {
      const options = { purpose: 'the scrub', mostBytes: 64 * 1024, signal }
      const { exitCode, stdout, stderr } = await runProgram(shells, scrubScript(), options)
      if (exitCode === 0) return
      const said = shown(`${stdout.toString('utf8')}${stderr}`)
      throw new GuestMisbehaved(`the guest could not be scrubbed (exit ${exitCode}): ${said}`)
    })
  }

  sync(signal: AbortSignal): Promise<void> {
    return this.links.retrying(signal, async ({ shells }) => {
      const { exitCode, stderr } = await runProgram(shells, 'sync', { purpose: 'sync', mostBytes: 0, signal })
      if (exitCode !== 0) throw new Error(`sync failed (exit ${exitCode}): ${shown(stderr)}`)
    })
  }

  readFiles(paths: readonly string[], signal: AbortSignal): Promise<(string | null)[]> {
    return this.links.retrying(signal, async ({ shells }) => {
      const mostBytes = mostPrintedBytes(paths.length)
      const options = { purpose: 'the reading of files', mostBytes, signal }
      const { exitCode, stdout } = await runProgram(shells, buildReader(paths), options)
      const texts = parseTexts(stdout)
      if (exitCode !== 0 || texts.length !== paths.length)
        throw new Error(`files could not be read (exit ${exitCode})`)
      return texts
    })
  }

  async *runSteps(
    steps: readonly GuestStep[],
    origin: Origin,
    signal: AbortSignal,
  ): AsyncIterable<StepEvent> {
    const scripts = steps.map((step) => Buffer.from(buildStepScript(step)))
    let known = { index: 0, offset: 0 }
    while (known.index < steps.length) {
      const run = await this.links.retrying(signal, ({ shells }) =>
        launch(shells, steps, scripts, known, origin, signal),
      )
      try {
        for await (const event of run as AsyncIterable<StepEvent>) {
          known =
            event.kind === 'output'
              ? { ...known, offset: known.offset + event.chunk.length }
              : { index: event.index + 1, offset: 0 }
          yield event
          // There is no need to wait for the end of the session itself.
          if (event.kind === 'outcome' && (!goesOn(event.outcome) || known.index === steps.length)) return
        }
      } catch (thrown) {
        if (thrown instanceof StaleInGuest || thrown instanceof GuestMisbehaved) throw thrown
        // Output that was already delivered counts; the rest is requested again over another connection.
        if (signal.aborted) throw new GuestUnreachable(toError(thrown).message, { cause: signal.reason })
        await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async shutDown(signal: AbortSignal): Promise<void> {
    const { shells } = await this.links.connected(signal)
    const options = { purpose: 'the request to shut down', mostBytes: 4096, signal }
    const execution = await shells.execute('systemctl poweroff', options)
    // The guest may be gone before it answers.
    await execution.exitCode.catch(() => undefined)
  }

  close(): void {
    this.links.close()
    this.callLinks.close()
  }

  private write(
    { path, stepKey }: { path: string; stepKey: string | null },
    content: string,
    origin: Origin,
    signal: AbortSignal,
  ): Promise<void> {
    const input = Buffer.from(content)
    const script = privateFileScript({ path, bytes: input.length, stepKey }, origin)
    return this.links.retrying(signal, async ({ shells }) => {
      const purpose = `the writing of ${path}`
      const { exitCode, stderr } = await runProgram(shells, script, { purpose, mostBytes: 0, input, signal })
      if (exitCode === staleExitCode) throw new StaleInGuest(parseStaleNumbers(stderr), origin)
      if (exitCode !== 0) throw new Error(`${path} could not be written (exit ${exitCode}): ${shown(stderr)}`)
    })
  }

  private openFrozen(taking: IdentityTaking, signal: AbortSignal): Promise<Link> {
    return this.links.open(signal, taking.resumed ? taking.formerHostKey : null).catch((thrown: unknown) => {
      throw identityFault(thrown, taking)
    })
  }
}
