import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import {
  type Answered,
  type Call,
  callLimits,
  type ListedEntry,
  listedEntriesSchema,
  type WriteMode,
} from '@hearth/contract'
import { HearthError, newId, seal } from '@hearth/foundation'
import type { CallAnswer } from '@hearth/messaging'
import type { Caller } from '../../../api/caller.ts'
import type { Services } from '../../../api/services.ts'
import { sendCall } from './send-call.ts'
import { type CallTarget, enterRunning } from './target.ts'

/** Who calls into which machine. */
export interface MachineCaller {
  caller: Caller
  /** The environment's id or name. */
  reference: string
  /** Under which a repeat gets the first answer, while that is done and for some minutes; null for none. */
  key: string | null
  signal: AbortSignal
}

export interface ExecInput {
  command: string
  /** Below the first repository where it is not absolute. */
  workingDirectory: string
  timeoutSeconds: number
}

export interface ExecOutcome {
  /** Null where its time was up. */
  exitCode: number | null
  stdout: Buffer
  stderr: Buffer
  stdoutCut: boolean
  stderrCut: boolean
}

export type FileOutcome =
  | { kind: 'file'; content: Buffer; size: number; sha256: string | null }
  | { kind: 'folder'; entries: ListedEntry[]; entriesCut: boolean }

const fileMilliseconds = 75_000
/** What is longer than its command: reaching the machine, and ending what does not end by itself. */
const slackMilliseconds = 30_000

/** Runs a command in a running machine, and waits for it. What is printed is masked like the output of tasks. */
export async function execInMachine(
  services: Services,
  from: MachineCaller,
  { command, workingDirectory, timeoutSeconds }: ExecInput,
): Promise<ExecOutcome> {
  const milliseconds = timeoutSeconds * 1000 + slackMilliseconds
  const { reply, content } = await callInto(services, from, milliseconds, (target, head) => {
    const folder = within(target, workingDirectory)
    const operation = operationOf(from, ['exec', command, folder, timeoutSeconds])
    const sealedSecrets = sealed(target, head.id)
    return { call: 'exec', ...head, command, folder, timeoutSeconds, operation, sealedSecrets }
  })
  if (reply.reply !== 'executed') throw noAnswer(reply)
  const { exitCode, stdout, stderr } = reply
  return {
    exitCode,
    stdout: content.subarray(0, stdout.bytes),
    stderr: content.subarray(stdout.bytes),
    stdoutCut: stdout.isCut,
    stderrCut: stderr.isCut,
  }
}

/** Reads a part of a file of a running machine, or lists a folder. */
export async function readInMachine(
  services: Services,
  from: MachineCaller,
  { path, offset, length }: { path: string; offset: number; length: number },
): Promise<FileOutcome> {
  const { reply, content } = await callInto(services, from, fileMilliseconds, (target, head) => ({
    ...{ call: 'read', ...head, path: within(target, path), offset, length },
  }))
  if (reply.reply === 'file') return { kind: 'file', content, size: reply.size, sha256: reply.sha256 }
  if (reply.reply !== 'folder') throw noAnswer(reply)
  const entries = listedEntriesSchema.safeParse(JSON.parse(content.toString('utf8')))
  if (!entries.success) throw noAnswer(reply)
  return { kind: 'folder', entries: entries.data, entriesCut: reply.isCut }
}

/** Writes a file of a running machine. */
export async function writeInMachine(
  services: Services,
  from: MachineCaller,
  { path, content, mode }: { path: string; content: Buffer; mode: WriteMode },
): Promise<void> {
  if (content.length > callLimits.fileBytes)
    throw new HearthError('too_large', `at most ${callLimits.fileBytes} bytes are written at once`)
  const { reply } = await callInto(services, from, fileMilliseconds, (target, head) => {
    const whole = within(target, path)
    const operation = operationOf(from, ['write', whole, mode, digest(content)])
    return { call: 'write', ...head, path: whole, content: content.toString('base64'), mode, operation }
  })
  if (reply.reply !== 'written') throw noAnswer(reply)
}

type Head = Pick<Call, 'id' | 'runnerId' | 'epoch' | 'environmentId'>

/** As one of the streams of the caller, until it leaves or its token ends. */
async function callInto(
  services: Services,
  { caller, reference, signal }: MachineCaller,
  deadlineMilliseconds: number,
  callOf: (target: CallTarget, head: Head) => Call,
): Promise<CallAnswer> {
  using open = services.streams.open(caller)
  const target = await enterRunning(services, caller, reference)
  const { environmentId, runnerId, epoch } = target
  const call = callOf(target, { id: newId(), runnerId, epoch, environmentId })
  return sendCall(services, call, deadlineMilliseconds, { signal, tokenEnded: open.tokenEnded })
}

const within = ({ folder }: CallTarget, path: string) => posix.resolve(folder, path)

const digest = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

function operationOf({ caller, key }: MachineCaller, asked: readonly (string | number)[]) {
  if (key === null) return null
  return { key: digest(JSON.stringify([caller.principalId, key])), digest: digest(JSON.stringify(asked)) }
}

/** What must not be shown, for the machine's runner alone. */
function sealed({ name, sealingKey, secrets }: CallTarget, id: string): string | null {
  if (secrets.length === 0) return null
  if (sealingKey === null)
    throw new HearthError('unavailable', `the host of environment ${name} has no key to seal secrets to`)
  return seal(JSON.stringify(secrets), sealingKey, id)
}

const noAnswer = ({ reply }: Answered) =>
  new HearthError('unavailable', 'the agent of the host sent what is no answer', {
    privateDetail: `it answered with "${reply}"`,
  })
