import { type RunCause, runCauseSchema } from '@hearth/contract'
import { GuestMisbehaved } from '../guest.ts'
import type { KnownRun, RunEnding } from '../process.ts'
import { guestMilliseconds } from './guest-time.ts'
import { shown } from './shown.ts'
import { signalName } from './signal-names.ts'
import { wholeNumber } from './step-outcome.ts'

const mostNumber = 2_147_483_647

/** Parses what the guest's ledger has of a run, one `name value` per line. Throws GuestMisbehaved where it says nonsense. */
export function parseKnownRun(text: string): KnownRun {
  const said = new Map(
    text.split('\n').map((line): [string, string] => {
      const blank = line.indexOf(' ')
      return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1).trim()]
    }),
  )
  const fail = (): never => {
    throw new GuestMisbehaved(`the guest said of a run "${shown(text)}", which is no run`)
  }
  const count = (name: string) => wholeNumber(said.get(name) ?? '', mostNumber) ?? fail()
  const time = (name: string) => guestMilliseconds(said.get(name)) ?? fail()
  const startedAt = time('started')
  const ending = (): RunEnding => {
    const cause = causeOf(said.get('cause')) ?? fail()
    const exit = said.get('exit')
    const bySignal = said.get('signal')
    return {
      // A guest that went down has the time of its next boot, and its clock may have been set since.
      finishedAt: Math.max(time('finished'), startedAt),
      cause,
      exitCode: exit === undefined ? null : (wholeNumber(exit, 255) ?? fail()),
      signal: bySignal === undefined ? null : (signalName(wholeNumber(bySignal, 64) ?? fail()) ?? fail()),
    }
  }
  return {
    number: count('number'),
    request: count('request'),
    restarts: count('restarts'),
    startedAt,
    readyAt: said.has('ready') ? time('ready') : null,
    ending: said.has('cause') ? ending() : null,
  }
}

function causeOf(text: string | undefined): RunCause | null {
  return runCauseSchema.safeParse(text).data ?? null
}
