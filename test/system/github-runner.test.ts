import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseProjectFile, projectDeclarationSchema } from '@hearth/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'

/** The example of a runner of GitHub Actions: its script against a server that stands for GitHub, and programs for its runner. */
const example = join(import.meta.dirname, '../../examples/github-runner')
const asked: { method: string; path: string; authorization: string }[] = []
let github: Server
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-github-runner-'))
  github = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request
    const authorization = headers.authorization ?? ''
    asked.push({ method, path, authorization })
    const isKnown = authorization === 'Bearer ghp_secret'
    response.writeHead(isKnown ? 201 : 401, { 'content-type': 'application/json' })
    response.end(
      isKnown
        ? '{\n  "token": "AABF3JGZDX3P5PMEXLND6TS6FCWO6",\n  "expires_at": "2026-12-01T00:00:00Z"\n}'
        : '{}',
    )
  })
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve))
  await program('config.sh', 'printf "%s\\n" "$@" >given; touch .runner')
  await program(
    'run.sh',
    'echo "Listening for Jobs"; [ -v RUNNER_TOKEN ] || echo "token: none"; echo "Job test completed"',
  )
})
afterAll(async () => {
  github.closeAllConnections()
  await new Promise((resolve) => github.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/bash\n${text}\n`)
  await chmod(join(folder, name), 0o755)
}

const server = () => `http://127.0.0.1:${(github.address() as AddressInfo).port}`

function start(
  variables: Readonly<Record<string, string>>,
): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH ?? '', RUNNER_SERVER: server(), ...variables }
  return new Promise((resolve) => {
    execFile('bash', [join(example, 'start-runner.sh')], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

async function declared() {
  const text = await readFile(join(example, 'hearth.yaml'), 'utf8')
  expect(parseProjectFile(text).faults).toEqual([])
  const runner = projectDeclarationSchema.parse(parse(text)).services.runner
  if (runner === undefined) throw new Error('the example has no service runner')
  return runner
}

test('it registers for one job with a token of its own, and says what its readiness waits for', async () => {
  const { readiness, variables, secrets } = await declared()
  await writeFile(join(folder, '.runner'), 'of a run that was cut off')
  const ended = await start({ ...variables, RUNNER_TOKEN: 'ghp_secret' })
  expect(ended, ended.stderr).toMatchObject({ status: 0 })
  expect(secrets).toEqual(['RUNNER_TOKEN'])
  expect(asked).toEqual([
    {
      method: 'POST',
      path: '/api/v3/repos/me/shop/actions/runners/registration-token',
      authorization: 'Bearer ghp_secret',
    },
  ])
  const given = (await readFile(join(folder, 'given'), 'utf8')).split('\n')
  expect(given).toContain('--ephemeral')
  expect(given[given.indexOf('--token') + 1]).toBe('AABF3JGZDX3P5PMEXLND6TS6FCWO6')
  expect(given[given.indexOf('--url') + 1]).toBe(`${server()}/me/shop`)
  expect(readiness?.kind === 'log' && ended.stdout.includes(readiness.contains)).toBe(true)
  // Jobs are not told what may administer the repository.
  expect(ended.stdout).toContain('token: none')
})

test('without a token that GitHub takes it ends with the cause, and no runner begins', async () => {
  await rm(join(folder, 'given'), { force: true })
  const refused = await start({ RUNNER_REPOSITORY: 'me/shop', RUNNER_TOKEN: 'wrong' })
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('401')
  expect(refused.stdout).not.toContain('Listening for Jobs')
  const unnamed = await start({ RUNNER_REPOSITORY: 'me/shop' })
  expect(unnamed).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('the service names no secret RUNNER_TOKEN'),
  })
  await expect(readFile(join(folder, 'given'))).rejects.toThrow()
})

test('the page on CI shows the service of the example as it is', async () => {
  const page = await readFile(join(example, '../../docs/ci.md'), 'utf8')
  const [, block = ''] = /## A runner of GitHub[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const text = await readFile(join(example, 'hearth.yaml'), 'utf8')
  expect(parse(block).services).toEqual(parse(text).services)
})
