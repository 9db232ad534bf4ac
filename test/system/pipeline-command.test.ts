import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hearth } from './command.ts'
import { type Installation, startInstallation } from './installation.ts'
import { simulatedRun } from './pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** `hearth pipeline` as people use it, with a program that is simulated. */
let installation: Installation
let agent: SyntheticAgent
let program: string

beforeAll(async () => {
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  program = join(installation.folder, 'program')
  writeFileSync(program, 'a program')
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

const pipeline = (...words: string[]) => hearth(installation, 'pipeline', ...words)
async function good(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await pipeline(...words)
  expect(status, stderr).toBe(0)
  return stdout
}
const lines = (run: string) => ['--toolchain', 'command', '--run', run]

test('a pipeline is made, started, paused, resumed, stopped, cleared and deleted, and is waited for each time', async () => {
  expect(await good('create', 'ticks', program, ...lines(simulatedRun()), '--storage', '64MiB')).toMatch(
    /Program: +9 bytes, success/,
  )
  const started = await pipeline('start', 'ticks')
  expect(started).toMatchObject({ status: 0, stdout: expect.stringMatching(/Phase: +running/) })
  expect(started.stderr).toContain('pipeline ticks')
  expect(await good('pause', 'ticks')).toMatch(/Phase: +paused/)
  expect(await good('resume', 'ticks')).toMatch(/Phase: +running/)
  expect(await good('list')).toMatch(/ticks +command +running +success +in_use/)
  expect(await good('logs', 'ticks')).toContain('"status":"running"')
  expect(await good('stop', 'ticks')).toMatch(/Phase: +stopped/)
  const events = JSON.parse(await good('events', 'ticks', '--limit', '720', '-o', 'json')) as {
    runtimeStatus: string | null
  }[]
  expect(events.map(({ runtimeStatus }) => runtimeStatus)).toEqual(
    expect.arrayContaining(['initializing', 'running', 'paused', 'suspended']),
  )
  expect(await good('events', 'ticks', '--limit', '1')).toMatch(/stopped +stopped +- +- +success +in_use +-/)
  expect(await good('clear', 'ticks')).toMatch(/Storage: +cleared/)
  expect(await good('delete', 'ticks')).toBe('pipeline ticks deleted\n')
  expect((await pipeline('show', 'ticks')).status).toBe(3)
}, 120_000)

test('a program that does not compile is told with its faults, and ends the command so', async () => {
  const check = 'echo main.c:3:7: error: no such name\nexit 1'
  const made = await pipeline('create', 'faulty', program, ...lines('exit 0'), '--check', check)
  expect(made.status).toBe(1)
  expect(made.stderr).toContain('line 3, column 7: main.c: no such name')
  const started = await pipeline('start', 'faulty')
  expect(started.status).not.toBe(0)
  expect(started.stderr).toContain('faulty')
  expect((await good('show', 'faulty')).replaceAll(/\s+/g, ' ')).toContain(
    'does not compile: check error line 3, column 7',
  )
})

test('what cannot be done says why, and what is wrong on the command line changes nothing', async () => {
  await good('create', 'resting', program, ...lines(simulatedRun()), '--no-wait')
  const asked = await pipeline('query', 'resting', 'SELECT 1')
  expect(asked.status).toBe(4)
  expect(asked.stderr).toContain('there is no program that could be asked')
  expect((await pipeline('send', 'resting', 't', '/nowhere')).stderr).toContain(
    'a file that can be read (ENOENT)',
  )
  const wrong: [string[], string][] = [
    [['create', 'x', '/nowhere'], 'a file that can be read (ENOENT)'],
    [['create', 'x', program, '--toolchain', 'command'], '--run'],
    [['create', 'x', program, '--check', 'true'], 'only the toolchain command has lines of its own'],
    [['start', 'resting', '--as', 'flying'], 'flying'],
    [['events', 'resting', '--limit', '0'], 'a whole number from 1 to 720'],
  ]
  for (const [words, message] of wrong) {
    const { status, stderr } = await pipeline(...words)
    expect([words.join(' '), status]).toEqual([words.join(' '), 2])
    expect(stderr).toContain(message)
  }
})
