import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort } from '@hearth/embedded'
import { eventually } from '@hearth/testing'

export const sqlToolchain = resolve(import.meta.dirname, '../../deploy/toolchains/sql')

const prefix = 'pipeline: '

export interface JournalLine {
  status: string
  details: unknown
}

export interface SqlPipeline extends AsyncDisposable {
  url: string
  wish(wish: Readonly<Record<string, unknown>>): void
  journal(): JournalLine[]
  /** Resolves when the journal says so. */
  until(status: string): Promise<void>
  /** Resolves with its exit status, when it has ended by itself. */
  ended(): Promise<number | null>
  /** Ends it as a machine that loses its power does. */
  kill(): Promise<void>
  output(): string
}

/** The toolchain `sql` as its service runs it, with a folder in the place of the volume. */
export async function startSqlPipeline(
  folder: string,
  program: string,
  wish: Readonly<Record<string, unknown>>,
): Promise<SqlPipeline> {
  const [programPath, wishPath] = [join(folder, 'program.sql'), join(folder, 'wish.json')]
  mkdirSync(folder, { recursive: true })
  writeFileSync(programPath, program)
  const setWish = (wished: Readonly<Record<string, unknown>>) => {
    writeFileSync(`${wishPath}.new`, JSON.stringify(wished))
    renameSync(`${wishPath}.new`, wishPath)
  }
  setWish(wish)
  const port = await freePort()
  const child: ChildProcess = spawn('python3', ['-B', join(sqlToolchain, 'run.py'), programPath], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      PIPELINE_JOURNAL: prefix,
      HEARTH_WISH: wishPath,
      PIPELINE_VOLUME: join(folder, 'volume'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const journal = () =>
    output
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .map((line) => JSON.parse(line.slice(prefix.length)) as JournalLine)
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  return {
    url: `http://127.0.0.1:${port}`,
    wish: setWish,
    journal,
    until: async (status) => {
      await eventually(async () => (journal().at(-1)?.status === status ? true : null), {
        timeoutMilliseconds: 20_000,
      })
    },
    ended: () => exited,
    kill,
    output: () => output,
    [Symbol.asyncDispose]: kill,
  }
}
