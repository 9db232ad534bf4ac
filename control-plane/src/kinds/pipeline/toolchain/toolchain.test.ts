import { execFileSync } from 'node:child_process'
import {
  boundedText,
  commandToolchainSchema,
  pipelineLimits,
  pipelineToolchains,
  processInputSchema,
  processLimits,
} from '@hearth/contract'
import { expect, test } from 'vitest'
import { programArchive } from './program.ts'
import { toolchainOf } from './toolchain.ts'

const digest = 'ab'.repeat(32)
const archive = { artifactId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', digest, bytes: 4_096 }
const runtime = { artifactId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12', digest: 'ef'.repeat(32), bytes: 40 }
const lines = { check: 'make lint', build: 'make', run: './serve' }
const text = { code: 'CREATE TABLE t (a INT)', udfRust: '', udfToml: '', configuration: lines }

test.each(pipelineToolchains)('%s: each step is one that bash can read, with what it needs', (name) => {
  const { check, build, run } = toolchainOf(name)
  const program = { toolchain: name, configuration: lines, archive, runtime }
  for (const step of [check(program), build(program), run(program)]) {
    if (step === null) continue
    execFileSync('bash', ['-n'], { input: step.command })
    expect(processInputSchema.parse(step.inputs[0])).toEqual({
      ...archive,
      path: step.variables.PIPELINE_ARCHIVE,
      user: 'root',
    })
  }
  expect(run(program).variables).toMatchObject({
    PIPELINE_VOLUME: '/srv/pipeline',
    PIPELINE_RUNTIME: run(program).inputs[1]?.path,
    PIPELINE_JOURNAL: 'hearth-pipeline: ',
    PORT: '8080',
  })
  expect(processInputSchema.parse(run(program).inputs[1])).toMatchObject({ ...runtime, user: 'root' })
})

test('another program is unpacked to another folder', () => {
  const folderOf = (of: string) =>
    toolchainOf('sql').run({
      toolchain: 'sql',
      configuration: {},
      archive: { ...archive, digest: of },
      runtime,
    }).variables.PIPELINE_FOLDER
  expect(folderOf(digest)).not.toBe(folderOf('cd'.repeat(32)))
})

test('sql has nothing to build, and command what its configuration has', () => {
  const { check, build } = toolchainOf('command')
  const program = { toolchain: 'command' as const, configuration: { run: './serve' }, archive, runtime }
  expect([check(program), build(program)]).toEqual([null, null])
  expect(toolchainOf('sql').build({ toolchain: 'sql', configuration: {}, archive, runtime })).toBeNull()
  expect(() => toolchainOf('command').run({ ...program, configuration: {} })).toThrow('without a line run')
})

test('the longest line of a program still fits what a process may say, and its comments stay lines of their own', () => {
  const longest = `# simulated: after 1 print x\n${"'".repeat(pipelineLimits.lineBytes - 29)}`
  const configuration = commandToolchainSchema.parse({ run: longest })
  const { command } = toolchainOf('command').run({ toolchain: 'command', configuration, archive, runtime })
  expect(boundedText(processLimits.commandBytes).safeParse(command).success).toBe(true)
  expect(command.split('\n')).toContain('# simulated: after 1 print x')
})

test('an archive has the toolchain and what was written of the program, and the same is the same bytes', () => {
  const content = programArchive({ ...text, toolchain: 'command', code: 'é'.repeat(1_000) })
  expect(programArchive({ ...text, toolchain: 'command', code: 'é'.repeat(1_000) }).equals(content)).toBe(
    true,
  )
  const listed = execFileSync('tar', ['-t', '-f', '-'], { input: content, encoding: 'utf8' })
  expect(listed.trim().split('\n')).toEqual([
    'toolchain/notes.py',
    'toolchain/processes.py',
    'toolchain/run.py',
    'toolchain/status.py',
    'toolchain/wishes.py',
    'program/code',
    'program/udf.rs',
    'program/udf.toml',
    'program/configuration.json',
  ])
  const unpacked = (path: string) =>
    execFileSync('tar', ['-x', '-O', '-f', '-', path], { input: content, encoding: 'utf8' })
  expect(unpacked('program/code')).toBe('é'.repeat(1_000))
  expect(JSON.parse(unpacked('program/configuration.json'))).toEqual(lines)
})
