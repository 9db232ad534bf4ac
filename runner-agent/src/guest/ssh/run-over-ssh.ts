import { toError } from '@hearth/foundation'
import type { RunInGuest } from '../bash/scripted-calls.ts'
import { CallLost } from '../call.ts'
import { GuestMisbehaved } from '../guest.ts'
import { isFinal, type Links } from './links.ts'
import { runProgram } from './run-program.ts'

/** Runs programs over connections of their own. Once one has been sent, it is not sent again. */
export function runOverSsh(links: Links): RunInGuest {
  return async (program, { signal, ...options }) => {
    const { link, end } = await links.repeating(signal, isFinal, () => links.forLong(signal))
    try {
      const { exitCode, stdout } = await runProgram(link.shells, program, { ...options, signal })
      if (exitCode !== 0) throw new GuestMisbehaved(`${options.purpose} ended with ${exitCode} in the guest`)
      return stdout
    } catch (thrown) {
      if (thrown instanceof GuestMisbehaved || signal.aborted) throw thrown
      throw new CallLost(toError(thrown).message, { cause: thrown })
    } finally {
      end()
    }
  }
}
