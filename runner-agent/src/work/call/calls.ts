import { type Call, callLimits, type ExecCall } from '@hearth/contract'
import { assertNever, HearthError, toError, unseal } from '@hearth/foundation'
import type { CallAnswer, CallHandler } from '@hearth/messaging'
import type { Logger } from 'pino'
import { z } from 'zod'
import { CallLost, type GuestCalls } from '../../guest/call.ts'
import type { Machines } from '../../host/machines.ts'
import type { Lease } from '../../lease/lease.ts'
import { secretAutomaton } from '../environment/secret-mask.ts'
import type { MachineChanges } from '../machine-changes.ts'
import type { Guests } from '../process/guests.ts'
import type { OpenGuestPort } from '../route/route-context.ts'
import { Exchanges } from './exchanges.ts'
import { masked } from './masked.ts'
import { OpenCalls } from './open-calls.ts'
import { Operations } from './operations.ts'
import { runningMachine } from './running-machine.ts'
import { toldOf } from './wording.ts'

export interface CallContext {
  runnerId: string
  lease: Pick<Lease, 'epoch' | 'assertHeld'>
  machines: Pick<Machines, 'look' | 'reach'>
  machineChanges: MachineChanges
  guests: Guests
  /** Opens a connection to a port of a guest that its host does not reach by itself; undefined where nothing does. */
  openGuestPort?: OpenGuestPort | undefined
  /** PEM of the key that secrets are sealed to. */
  sealingKey: string
  log: Logger
  /** Monotonic milliseconds. */
  now(): number
}

/** Seconds that a file is read or written in, and that a command has to be ended in after its time. */
const fileSeconds = 60
const endingSeconds = 15

/** Serves what the control plane asks this agent to do in its machines at once. */
export function callHandler(context: CallContext): CallHandler {
  const open = new OpenCalls()
  const operations = new Operations(context.now)
  const exchanges = new Exchanges(context, open)
  context.machineChanges.listen((environmentId) => context.guests.closeUnused(environmentId))
  const told = async (call: Call, work: () => Promise<CallAnswer>) => {
    try {
      return await work()
    } catch (thrown) {
      const said = toldOf(thrown, subjectOf(call))
      const { id, environmentId } = call
      if (!(said instanceof HearthError) || said.cause !== undefined)
        context.log.info({ id, environmentId, error: toError(thrown) }, 'a call failed')
      throw said
    }
  }
  const serve = async (call: Call, signal: AbortSignal): Promise<CallAnswer> => {
    switch (call.call) {
      case 'ask':
        return exchanges.ask(call, signal)
      case 'more':
        return exchanges.more(call, signal)
      case 'leave':
        return exchanges.leave(call)
      case 'exec':
      case 'read':
      case 'write': {
        const end = open.begin(call.environmentId)
        try {
          return await inMachine(context, call, signal)
        } finally {
          end()
        }
      }
      default:
        return assertNever(call)
    }
  }
  return (call, signal) => {
    if (call.epoch !== context.lease.epoch)
      throw new HearthError('unavailable', 'another agent acts for the host by now: ask again')
    const operation = 'operation' in call ? call.operation : null
    if (operation === null) return told(call, () => serve(call, signal))
    const { key, digest } = operation
    // What it throws says whether it may have been done, and is worded when that was seen.
    return told(call, () =>
      operations.run(`${call.environmentId} ${key}`, digest, signal, (stop) => serve(call, stop)),
    )
  }
}

type ScriptedCall = Extract<Call, { call: 'exec' | 'read' | 'write' }>

/** What a refusal of the guest is about. */
function subjectOf(call: Call): string {
  if (call.call === 'exec') return call.folder
  return call.call === 'read' || call.call === 'write' ? call.path : 'the program of the pipeline'
}

async function inMachine(context: CallContext, call: ScriptedCall, signal: AbortSignal): Promise<CallAnswer> {
  const { environmentId } = call
  await context.lease.assertHeld()
  const machine = await runningMachine(context, environmentId)
  const ended = new AbortController()
  const seconds = call.call === 'exec' ? call.timeoutSeconds + endingSeconds : fileSeconds
  const timer = setTimeout(
    () => ended.abort(new HearthError('unavailable', `the machine did not answer within ${seconds} s`)),
    seconds * 1000,
  )
  const stopListening = context.machineChanges.listen((changed) => {
    if (changed !== environmentId) return
    runningMachine(context, environmentId).catch((gone: unknown) => ended.abort(gone))
  })
  const used = context.guests.use(machine)
  const taskEnds = context.guests.taskRuns(environmentId)
  try {
    return await answerOf(call, used.guest.calls, AbortSignal.any([signal, ended.signal]), context)
  } catch (thrown) {
    if (!ended.signal.aborted) throw thrown
    // It may have been asked by then.
    const cause = toError(ended.signal.reason)
    throw new CallLost(cause.message, { cause })
  } finally {
    taskEnds()
    used.release()
    stopListening()
    clearTimeout(timer)
  }
}

async function answerOf(
  call: ScriptedCall,
  calls: GuestCalls,
  signal: AbortSignal,
  { sealingKey }: CallContext,
): Promise<CallAnswer> {
  switch (call.call) {
    case 'exec':
      return exec(call, calls, signal, sealingKey)
    case 'read': {
      const seen = await calls.readFile(call.path, call.offset, call.length, signal)
      if (seen.kind === 'folder') {
        const content = Buffer.from(JSON.stringify(seen.entries))
        return { reply: { reply: 'folder', isCut: seen.isCut, bytes: content.length }, content }
      }
      const { bytes: content, size, sha256 } = seen
      return { reply: { reply: 'file', size, sha256, bytes: content.length }, content }
    }
    case 'write': {
      await calls.writeFile(call.path, Buffer.from(call.content, 'base64'), call.mode, signal)
      return { reply: { reply: 'written' }, content: Buffer.alloc(0) }
    }
    default:
      return assertNever(call)
  }
}

const valuesSchema = z.array(z.string())

async function exec(
  { id, command, folder, timeoutSeconds, sealedSecrets }: ExecCall,
  calls: GuestCalls,
  signal: AbortSignal,
  sealingKey: string,
): Promise<CallAnswer> {
  const values =
    sealedSecrets === null ? [] : valuesSchema.parse(JSON.parse(unseal(sealedSecrets, sealingKey, id)))
  const secrets = await secretAutomaton(values)
  const wanted = {
    id,
    command,
    folder,
    limitSeconds: timeoutSeconds,
    mostOutputBytes: callLimits.outputBytes,
  }
  const { exitCode, ...printed } = await calls.exec(wanted, signal)
  const outputs = await Promise.all(
    [printed.stdout, printed.stderr].map(async ({ bytes, isCut }) => {
      // Three characters may stand for one byte fewer than they have.
      const whole = await masked(bytes, secrets)
      const kept = whole.subarray(0, callLimits.outputBytes)
      return { bytes: kept, isCut: isCut || kept.length < whole.length }
    }),
  )
  const [stdout, stderr] = outputs.map(({ bytes, isCut }) => ({ bytes: bytes.length, isCut }))
  if (stdout === undefined || stderr === undefined) throw new Error('a command has two outputs')
  return {
    reply: { reply: 'executed', exitCode, stdout, stderr },
    content: Buffer.concat(outputs.map(({ bytes }) => bytes)),
  }
}
