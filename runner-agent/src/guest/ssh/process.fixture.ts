import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ProcessPaths, processPaths } from '../bash/process-paths.ts'
import type { Origin } from '../guest.ts'
import type { GuestRun, KnownRun, RunEvent } from '../process.ts'
import { parseKnownRun } from './process-known.ts'
import { buildRunLauncher } from './process-launcher.ts'
import { buildForget, buildNewestRun, buildStop } from './process-requests.ts'
import { ProcessStream } from './process-stream.ts'

export const processId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const delimiter = 'hearth-0123456789abcdef0123456789abcdef'

export const origin = (epoch = 1, generation = 1): Origin => ({ runnerId: 'runner-1', epoch, generation })

export interface Followed {
  exitCode: number | null
  stderr: string
  events: RunEvent[]
  /** All chunks one after another, without gaps. */
  output: Buffer
  ready: number[]
  ended: Extract<RunEvent, { kind: 'ended' }> | undefined
}

/** Paths of a guest in a folder of this machine, and bash to run the programs in, as the SSH server would. */
export class LocalGuest {
  /** That of the programs, as the SSH server would give it. */
  readonly environment = { ...process.env }

  /** Whether the shells' signal masks are those that bash 5.2 leaves behind on a busy machine. */
  losesChildren = false

  private constructor(
    readonly folder: string,
    readonly paths: ProcessPaths,
  ) {}

  static async make(given: ProcessPaths | null = null): Promise<LocalGuest> {
    const folder = await mkdtemp(join(tmpdir(), "hearth process's folder "))
    const paths = given ?? {
      ...processPaths,
      ledger: join(folder, 'ledger'),
      state: join(folder, 'state'),
      controlGroups: join(folder, 'no control groups'),
      environmentFile: join(folder, '.env'),
    }
    return new LocalGuest(folder, { ...paths, users: processPaths.users })
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    for (const pid of [...(await this.pidsIn('supervisor')), ...(await this.pidsIn('main'))]) kill(pid)
    // What was killed may still have been writing.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** A restart of the machine: its processes end, and what was in memory is gone. */
  async restart(): Promise<void> {
    for (const pid of [...(await this.pidsIn('supervisor')), ...(await this.pidsIn('main'))]) kill(pid)
    await rm(this.paths.state, { recursive: true, maxRetries: 5 })
  }

  async killSupervisors(): Promise<void> {
    for (const pid of await this.pidsIn('supervisor')) kill(pid)
  }

  /** Ids of the processes that have the folder, or a file below it, open. */
  async processes(): Promise<number[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
    const opened = await Promise.all(pids.map(async (pid) => [pid, await openedBy(pid)] as const))
    return opened
      .filter(([, paths]) =>
        paths.some((path) => [this.folder, this.paths.ledger].some((own) => path.startsWith(own))),
      )
      .map(([pid]) => pid)
  }

  /** Puts the ledger on a disk of 128 KiB until disposed; needs root. */
  async withSmallDisk(): Promise<AsyncDisposable> {
    const { ledger } = this.paths
    await mkdir(ledger, { recursive: true })
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', ledger])
    return { [Symbol.asyncDispose]: async () => void (await promisify(execFile)('umount', ['-l', ledger])) }
  }

  private async pidsIn(name: 'supervisor' | 'main'): Promise<number[]> {
    const files = await readdir(this.paths.state, { recursive: true }).catch(() => [])
    const texts = files
      .filter((file) => file.endsWith(`/${name}`))
      .map((file) => join(this.paths.state, file))
    return Promise.all(texts.map(async (file) => Number.parseInt(await readFile(file, 'utf8'), 10)))
  }

  runOf(command: string, more: Partial<GuestRun> = {}): GuestRun {
    return {
      ...{ processId, number: 1, request: 1, restarts: 0, command, folder: this.folder, user: 'root' },
      ...{ variables: {}, limitSeconds: null, stopSignal: 'SIGTERM', graceSeconds: 1 },
      ...{ memoryMebibytes: null, cpus: null, readiness: null },
      ...more,
    }
  }

  follow(
    run: GuestRun,
    given: { offset?: number; origin?: Origin; onEvent?: (event: RunEvent) => void } = {},
  ) {
    const program = buildRunLauncher(run, given.offset ?? 0, given.origin ?? origin(), delimiter, this.paths)
    const stream = new ProcessStream(delimiter, given.offset ?? 0)
    const events: RunEvent[] = []
    let begin: () => void
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const { child, ended } = this.execute(program, (chunk) => {
      for (const event of stream.push(chunk)) {
        events.push(event)
        given.onEvent?.(event)
        begin()
      }
    })
    return {
      child,
      events,
      begun,
      ended: ended.then((result): Followed => ({ ...result, ...summary(events) })),
    }
  }

  async newest(id = processId): Promise<KnownRun | null> {
    let said = ''
    const { ended } = this.execute(buildNewestRun(id, this.paths), (chunk) => {
      said += chunk.toString()
    })
    const { exitCode, stderr } = await ended
    if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${stderr}`)
    return said === '' ? null : parseKnownRun(said)
  }

  stop(given = origin()) {
    return this.execute(buildStop(processId, given, this.paths)).ended
  }

  forget(given = origin()) {
    return this.execute(buildForget(processId, given, this.paths)).ended
  }

  /** Any other program, with what it may read. */
  async bash(program: string, input = ''): Promise<{ exitCode: number | null; stderr: string }> {
    const { child, ended } = this.execute(program)
    child.stdin.write(input)
    return ended
  }

  /** The input stays open, as it does while there is a connection. */
  private execute(program: string, onStdout: (chunk: Buffer) => void = () => undefined) {
    const receive = 'IFS= read -r size && IFS= LC_ALL=C read -r -d "" -N "$size" program && eval "$program"'
    const begin = this.losesChildren ? `${loseChildren}; ${receive}` : receive
    const words = ['--noprofile', '--norc', '-p', '-c', begin, begin]
    const child = spawn('/bin/bash', words, { env: this.environment })
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${Buffer.byteLength(program)}\n${program}`)
    let stderr = ''
    child.stdout.on('data', onStdout)
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const ended = new Promise<{ exitCode: number | null; stderr: string }>((resolve) =>
      child.on('close', (exitCode) => resolve({ exitCode, stderr })),
    )
    return { child, ended }
  }
}

/** Blocks SIGCHLD by a `read` whose time is up at once; what it sets the mask to is another address in every shell. */
const loseChildren = [
  'exec {idle}<> <(:)',
  'for i in {1..20}; do read -r -t 0.000001 -u "$idle"; done',
  'exec {idle}>&-',
  'while read -r name value; do [ "$name" = SigBlk: ] && break; done </proc/self/status',
  // A shell that another one has forked begins with a good mask.
  'export TRIES=$((TRIES + 1))',
  '((0x$value & 0x10000)) || ((TRIES > 50)) || { "$BASH" --noprofile --norc -p -c "$0" "$0"; exit; }',
].join('; ')

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

async function openedBy(pid: number): Promise<string[]> {
  const open = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = [...open.map((name) => `/proc/${pid}/fd/${name}`), `/proc/${pid}/cwd`]
  return Promise.all(links.map((link) => readlink(link).catch(() => '')))
}

function summary(events: RunEvent[]) {
  return {
    events,
    output: Buffer.concat(events.flatMap((event) => (event.kind === 'output' ? event.chunk : []))),
    ready: events.flatMap((event) => (event.kind === 'ready' ? event.at : [])),
    ended: events.find((event) => event.kind === 'ended'),
  }
}
