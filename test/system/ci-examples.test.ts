import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { taskScheduleSchema } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { untilPool } from './following.ts'
import { type Installation, startInstallation } from './installation.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/**
 * The examples of docs/ci.md for CI systems, run as these would run them: against a real control plane with the shipped
 * command. Their machines are synthetic; in place of ssh, what goes into one is done in a folder that stands for it.
 */
const root = join(import.meta.dirname, '../..')
let installation: Installation
let agent: SyntheticAgent
let folder: string
const work = () => join(folder, 'work')

const projectFile = `apiVersion: hearth/v1
name: shop
tasks:
  build: { command: echo built }
  test: { command: echo tested, dependsOn: [build], artifacts: ['out/**'] }
  nightly: { command: echo nightly }
repositories: [{ url: 'https://git.example/shop.git' }]
warmPools: [{ min: 1 }]
`

interface Ran {
  status: number
  stdout: string
  stderr: string
}

/** One line of a job's script, by the shell and in the folder that CI systems give it. */
function shell(line: string, more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    HEARTH_URL: installation.url,
    HEARTH_TOKEN: installation.token,
    HEARTH_STATE: join(folder, 'state'),
    ...more,
  }
  return new Promise((resolve) => {
    execFile('bash', ['-e', '-c', line], { cwd: work(), env }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(folder, 'bin', name), `#!/bin/bash\n${text}\n`)
  await chmod(join(folder, 'bin', name), 0o755)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-ci-examples-'))
  installation = await startInstallation()
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
  for (const name of ['bin', 'guest/home/shop/out', 'origin.git'])
    await mkdir(join(folder, name), { recursive: true })
  await program('hearth', `exec ${process.execPath} ${join(root, 'packages/cli/dist/main.js')} "$@"`)
  // The last word is what the machine is to run; its /home is a folder here.
  await program('ssh', `exec bash -c "$(sed 's#/home/#${folder}/guest/home/#g' <<<"\${!#}")"`)
  await writeFile(join(folder, 'guest/home/shop/out/result.txt'), 'good\n')
  const git = 'git -c user.name=ci -c user.email=ci@example.org -c init.defaultBranch=main'
  const made = await new Promise<Ran>((resolve) => {
    const script = `cd ${folder} && ${git} init -q --bare origin.git && ${git} clone -q origin.git work && cd work &&
      printf '%s' "$FILE" >hearth.yaml &&
      printf 'artifacts/\\nresults.xml\\n' >.gitignore && ${git} add . && ${git} commit -q -m first && ${git} push -q origin HEAD`
    execFile(
      'bash',
      ['-c', script],
      { env: { ...process.env, FILE: projectFile } },
      (error, stdout, stderr) => resolve({ status: error === null ? 0 : 1, stdout, stderr }),
    )
  })
  expect(made).toMatchObject({ status: 0 })
  expect(await shell('hearth apply -f hearth.yaml')).toMatchObject({ status: 0 })
  const [pool] = await installation.client.warmPools.listAll({})
  await untilPool(installation.client, pool?.metadata.id ?? '', ({ status }) => status.ready === 1)
}, 120_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The text of the first block below a heading. */
async function example(heading: string): Promise<string> {
  const text = await readFile(join(root, 'docs/ci.md'), 'utf8')
  const [, block] =
    new RegExp(`^## ${heading}\\n[\\s\\S]*?^\`\`\`\\w+\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text) ?? []
  if (block === undefined) throw new Error(`docs/ci.md has no example for ${heading}`)
  return block
}

interface GitHubJob {
  env: Record<string, string>
  steps: { run?: string; uses?: string; with?: { path?: string } }[]
}
interface GitLabJob {
  script: string[]
  artifacts: { paths: string[]; reports: { junit: string } }
}

test('the job for GitHub Actions runs its task, and leaves results, artifacts and a summary', async () => {
  const { jobs } = parse(await example('GitHub Actions'))
  const { env, steps }: GitHubJob = jobs.test
  expect(env).toEqual({
    HEARTH_URL: expect.stringMatching(/^https:/),
    HEARTH_TOKEN: expect.stringContaining('secrets.HEARTH_TOKEN'),
  })
  const lines = steps.flatMap(({ run }) => run ?? [])
  expect(lines).toEqual([expect.stringMatching(/^hearth ci /)])
  const summary = join(folder, 'summary.md')
  const ran = await shell(lines[0] ?? '', { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary })
  expect(ran, ran.stderr).toMatchObject({ status: 0, stdout: expect.stringContaining('::group::test') })
  expect(await readFile(summary, 'utf8')).toContain('test')
  const upload = steps.find((step) => step.with?.path !== undefined)
  expect(upload?.with?.path?.split('\n')).toEqual(['artifacts', 'results.xml'])
  expect(await readFile(join(work(), 'results.xml'), 'utf8')).toContain('<testcase')
  expect(await readFile(join(work(), 'artifacts/test/out/result.txt'), 'utf8')).toBe('good\n')
}, 60_000)

test('the job for GitLab runs its task, and leaves what it names', async () => {
  const { script, artifacts }: GitLabJob = parse(await example('GitLab')).test
  await rm(join(work(), 'results.xml'), { force: true })
  await rm(join(work(), 'artifacts'), { recursive: true, force: true })
  const ran = await shell(script.join('\n'))
  expect(ran, ran.stderr).toMatchObject({ status: 0 })
  expect(await readFile(join(work(), artifacts.reports.junit), 'utf8')).toContain('<testcase')
  expect(await readFile(join(work(), artifacts.paths[0] ?? '', 'test/out/result.txt'), 'utf8')).toBe('good\n')
}, 60_000)

test('the line for cron is one, and does what it says', async () => {
  const line = (await example('cron')).split('\n').find((each) => each !== '' && !each.startsWith('#')) ?? ''
  const [, schedule, command = ''] = /^((?:\S+ ){5})(.*)$/.exec(line) ?? []
  expect(taskScheduleSchema.safeParse({ cron: schedule?.trim() }).success).toBe(true)
  const log = join(folder, 'nightly.log')
  const here = command.replace('/srv/shop', work()).replace('/var/log/shop-nightly.log', log)
  expect(here).not.toContain('/srv/')
  const ran = await shell(here)
  const said = await readFile(log, 'utf8')
  expect(ran, said).toMatchObject({ status: 0, stdout: '' })
  expect(said).toContain('nightly')
}, 60_000)
