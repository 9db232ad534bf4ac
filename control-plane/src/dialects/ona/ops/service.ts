import { posix } from 'node:path'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { callLimits, type WriteMode } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import {
  execInMachine,
  type MachineCaller,
  readInMachine,
  writeInMachine,
} from '../../../kinds/environment/index.ts'
import {
  type EnvironmentOpsService,
  WriteMode as OnaWriteMode,
} from '../generated/supervisor/v1/environmentopts_pb.ts'
import { type Call, callOf } from '../wire/call.ts'
import { diffCommand, parseDiff } from './git-diff.ts'
import { parseStatus, statusCommand } from './git-status.ts'
import { exitCodes } from './shell.ts'

/** As `timeout` has it, and `hearth run`. */
const timedOut = 124
const usualContext = 3

const modes: Readonly<Record<OnaWriteMode, WriteMode>> = {
  [OnaWriteMode.UNSPECIFIED]: 'createOrTruncate',
  [OnaWriteMode.CREATE]: 'create',
  [OnaWriteMode.TRUNCATE]: 'truncate',
  [OnaWriteMode.CREATE_OR_TRUNCATE]: 'createOrTruncate',
  [OnaWriteMode.APPEND]: 'append',
}

export const environmentOpsService: Pick<
  ServiceImpl<typeof EnvironmentOpsService>,
  'exec' | 'readFile' | 'writeFile' | 'getGitStatus' | 'getGitDiff'
> = {
  async exec({ operationId, command, workingDirectory, timeoutSeconds }, context) {
    const { call, from } = callerOf(context, operationId || null)
    const wanted = {
      command,
      workingDirectory,
      timeoutSeconds: timeoutSeconds || callLimits.defaultSeconds,
    }
    const { exitCode, stdout, stderr } = await execInMachine(call.services, from, wanted)
    return {
      exitCode: exitCode ?? timedOut,
      stdout: stdout.toString('utf8'),
      stderr: stderr.toString('utf8'),
    }
  },

  async readFile({ path, offset, length }, context) {
    const { call, from } = callerOf(context)
    const most = BigInt(callLimits.fileBytes)
    const asked = length === 0n || length > most ? most : length
    const read = await readInMachine(call.services, from, {
      path,
      offset: Number(offset),
      length: Number(asked),
    })
    if (read.kind === 'folder') {
      const entries = read.entries.map(({ name, isFolder, size }) => ({
        path: posix.join(path, name),
        isDirectory: isFolder,
        size: BigInt(size),
      }))
      return { result: { case: 'directory', value: { entries } } }
    }
    const { content, size, sha256 } = read
    return {
      result: {
        case: 'content',
        value: { data: new Uint8Array(content), totalSize: BigInt(size), contentHash: sha256 ?? '' },
      },
    }
  },

  async writeFile({ path, content, mode }, context) {
    const { call, from } = callerOf(context)
    const bytes = Buffer.from(content)
    await writeInMachine(call.services, from, { path, content: bytes, mode: modes[mode] })
    return { bytesWritten: BigInt(bytes.length) }
  },

  async getGitStatus(_, context) {
    const { stdout } = await git(context, statusCommand)
    return { status: parseStatus(stdout) }
  },

  async getGitDiff({ path, unified, baseRef }, context) {
    const command = diffCommand(path, unified || usualContext, baseRef)
    const { stdout, stdoutCut } = await git(context, command, baseRef)
    if (stdoutCut)
      throw new HearthError(
        'unprocessable',
        `the diff of ${path} is larger than ${callLimits.outputBytes} bytes`,
      )
    return parseDiff(path, stdout)
  },
}

/** Who calls into which machine, for as long as the caller waits: Connect's own time limit ends the call, too. */
function callerOf(context: HandlerContext, key: string | null = null): { call: Call; from: MachineCaller } {
  const call = callOf(context)
  const { caller, environmentId } = call
  if (environmentId === null) throw new Error('a method of an environment was called without one')
  const signal = AbortSignal.any([call.signal, context.signal])
  return { call, from: { caller, reference: environmentId, key, signal } }
}

/** Runs git in the first repository. Throws `unprocessable` where there is none, or git could not say. */
async function git(context: HandlerContext, command: string, baseRef = '') {
  const { call, from } = callerOf(context)
  const wanted = { command, workingDirectory: '', timeoutSeconds: callLimits.defaultSeconds }
  const outcome = await execInMachine(call.services, from, wanted).catch((thrown: unknown) => {
    if (
      thrown instanceof HearthError &&
      thrown.code === 'not_found' &&
      thrown.message.startsWith('the folder')
    )
      throw noRepository()
    throw thrown
  })
  switch (outcome.exitCode) {
    case 0:
      return outcome
    case exitCodes.noRepository:
      throw noRepository()
    case exitCodes.noCommit:
      throw new HearthError('unprocessable', `there is no commit ${baseRef} in the repository`)
    case exitCodes.noGit:
      throw new HearthError('unprocessable', 'the machine has no git')
    case null:
      throw new HearthError('unavailable', 'git did not end in time in the machine')
    default:
      throw new HearthError('unprocessable', `git ended with ${outcome.exitCode}: ${saidBy(outcome.stderr)}`)
  }
}

const noRepository = () => new HearthError('unprocessable', 'the environment has no git repository')
const saidBy = (stderr: Buffer) =>
  stderr
    .toString('utf8')
    .replaceAll(/\p{C}+/gu, ' ')
    .slice(0, 300)
