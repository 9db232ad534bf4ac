import { randomBytes } from 'node:crypto'
import { callLimits, type ListedEntry, type WriteMode } from '@hearth/contract'
import {
  type CallFault,
  CallRefused,
  type ExecEnd,
  type FileSeen,
  type GuestCalls,
  type GuestExec,
} from '../call.ts'
import { GuestMisbehaved } from '../guest.ts'
import { buildExec } from './exec-script.ts'
import { buildRead, buildWrite } from './file-scripts.ts'
import type { ProcessPaths } from './process-paths.ts'

/** Runs a bash program to its end, with what follows it on its input, and returns what it prints; its input stays open. */
export type RunInGuest = (
  program: string,
  options: { purpose: string; mostBytes: number; input?: Buffer; signal: AbortSignal },
) => Promise<Buffer>

const mostListedBytes = 1024 * 1024
const mostHeadBytes = 4096

/** The calls of a guest that runs bash programs, wherever that is. */
export class ScriptedCalls implements GuestCalls {
  constructor(
    private readonly run: RunInGuest,
    private readonly paths: ProcessPaths,
  ) {}

  async exec(exec: GuestExec, signal: AbortSignal): Promise<ExecEnd> {
    const delimiter = newDelimiter()
    const mostBytes = 2 * exec.mostOutputBytes + mostHeadBytes
    const said = await this.run(buildExec(exec, delimiter, this.paths), {
      purpose: 'a command',
      mostBytes,
      signal,
    })
    const { words, rest } = answerOf(said, delimiter)
    const [word, code = '', ...sizes] = words
    if (word !== 'ended' || sizes.length !== 4) throw noAnswer()
    const [outBytes = 0, outCut, errBytes = 0, errCut] = sizes.map(numberOf)
    const exitCode = code === 'overdue' ? null : numberOf(code)
    if (exitCode !== null && exitCode > 255) throw noAnswer()
    if (Math.max(outBytes, errBytes) > exec.mostOutputBytes || rest.length !== outBytes + errBytes)
      throw noAnswer()
    return {
      exitCode,
      stdout: { bytes: rest.subarray(0, outBytes), isCut: outCut === 1 },
      stderr: { bytes: rest.subarray(outBytes), isCut: errCut === 1 },
    }
  }

  async readFile(path: string, offset: number, length: number, signal: AbortSignal): Promise<FileSeen> {
    const delimiter = newDelimiter()
    const mostBytes = Math.max(length, mostListedBytes) + mostHeadBytes
    const program = buildRead(path, { offset, length, mostListedBytes }, delimiter)
    const { words, rest } = answerOf(
      await this.run(program, { purpose: 'the reading of a file', mostBytes, signal }),
      delimiter,
    )
    const [word, size = '', sum = ''] = words
    if (word === 'folder') return listingOf(rest)
    if (word !== 'file' || rest.length > length || !/^([0-9a-f]{64}|-)$/.test(sum)) throw noAnswer()
    return { kind: 'file', bytes: rest, size: numberOf(size), sha256: sum === '-' ? null : sum }
  }

  async writeFile(path: string, content: Buffer, mode: WriteMode, signal: AbortSignal): Promise<void> {
    const delimiter = newDelimiter()
    const program = buildWrite(path, { bytes: content.length, mode }, delimiter, this.paths.state)
    const options = { purpose: 'the writing of a file', mostBytes: mostHeadBytes, input: content, signal }
    const { words } = answerOf(await this.run(program, options), delimiter)
    if (words[0] !== 'written') throw noAnswer()
  }
}

const newDelimiter = () => `hearth-${randomBytes(16).toString('hex')}`
const noAnswer = () => new GuestMisbehaved('the guest gave no answer to a call')

const faults: readonly CallFault[] = [
  'missing',
  'exists',
  'no_file',
  'denied',
  'full',
  'no_folder',
  'too_slow',
]

/** The words of the first line after the delimiter, and the bytes after that line. */
function answerOf(said: Buffer, delimiter: string): { words: string[]; rest: Buffer } {
  const end = said.indexOf('\n')
  const line = end < 0 ? '' : said.toString('latin1', 0, end)
  if (!line.startsWith(`${delimiter} `)) throw noAnswer()
  const words = line.slice(delimiter.length + 1).split(' ')
  const fault = faults.find((each) => words[0] === 'refused' && words[1] === each)
  if (fault !== undefined) throw new CallRefused(fault)
  return { words, rest: said.subarray(end + 1) }
}

function numberOf(word: string): number {
  const number = /^\d{1,15}$/.test(word) ? Number(word) : -1
  if (number < 0) throw noAnswer()
  return number
}

/** The entry that the bound cut in two is left out. */
function listingOf(said: Buffer): FileSeen {
  const records = said.toString('utf8').split('\0')
  const cutOff = records.pop() ?? ''
  const entries = records.map(entryOf)
  const kept = entries.slice(0, callLimits.listedEntries).sort((a, b) => (a.name < b.name ? -1 : 1))
  return { kind: 'folder', entries: kept, isCut: cutOff !== '' || kept.length < entries.length }
}

function entryOf(record: string): ListedEntry {
  const [, type, size, name] = /^(.) (\d{1,15}) ([^/]{1,255})$/s.exec(record) ?? []
  if (name === undefined) throw noAnswer()
  return { name, isFolder: type === 'd', size: Number(size) }
}
