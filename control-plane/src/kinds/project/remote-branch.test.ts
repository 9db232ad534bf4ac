import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Outgoing, parseAllowedHost } from '../../outgoing/index.ts'
import { askForBranch } from './remote-branch.ts'

const opened = (entry: string) => parseAllowedHost(entry) ?? []
const loopback = new Outgoing([opened('127.0.0.1')].flat())
const never = new AbortController().signal
const ask = (url: string, branch = 'main', outgoing = loopback, token: string | null = null) =>
  askForBranch(outgoing, { url, branch, token }, never)
const noAnswer = { unknown: 'its server gave no answer' }

const folder = mkdtempSync(join(tmpdir(), 'hearth-branch-'))
let port = 0
let daemon: ReturnType<typeof spawn>

beforeAll(async () => {
  const repository = join(folder, 'shop.git')
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@hearth.example']
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', repository])
  execFileSync('git', [...identity, '-C', repository, 'commit', '--quiet', '--allow-empty', '-m', 'Begin'])
  execFileSync('git', ['-C', repository, 'tag', 'v1'])
  port = await freePort()
  const options = [
    '--export-all',
    '--reuseaddr',
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${folder}`,
  ]
  daemon = spawn('git', ['daemon', ...options, folder], {
    stdio: 'ignore',
    env: {
      ...process.env,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
  })
  const url = `git://127.0.0.1:${port}/shop.git`
  await vi.waitFor(async () => expect(await ask(url)).toBe('there'), {
    timeout: 20_000,
  })
})
afterAll(() => {
  daemon.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('a branch or tag exists or not; a server that does not answer gives neither result', async () => {
  const url = `git://127.0.0.1:${port}/shop.git`
  expect(await ask(url, 'v1')).toBe('there')
  expect(await ask(url, 'nowhere')).toBe('missing')
  expect(await ask(`git://127.0.0.1:${port}/other.git`)).toEqual(noAnswer)
  expect(await ask(`git://127.0.0.1:${await freePort()}/shop.git`)).toEqual(noAnswer)
})

test('a non-public address is not connected to unless it is allowed', async () => {
  const requests: string[] = []
  await using server = await serve(({ url }, response) => {
    requests.push(url ?? '')
    response.end()
  })
  const closed = new Outgoing([])
  for (const host of ['127.0.0.1', 'localhost', '127.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0']) {
    for (const protocol of ['http', 'git']) {
      expect(await ask(`${protocol}://${host}:${server.port}/shop.git`, 'main', closed)).toEqual({
        unknown: 'its address is not public, and HEARTH_REPOSITORY_HOSTS does not name it',
      })
    }
  }
  expect(requests).toEqual([])
})

test('only the judged address is connected to, whatever the name resolves to later', async () => {
  const seen: string[] = []
  await using server = await serve(({ headers }, response) => {
    seen.push(headers.host ?? '')
    response.end(`${'a'.repeat(40)}\trefs/heads/main\n`)
  })
  const hosts = [opened('git.hearth.invalid')].flat()
  const named = new Outgoing(hosts, async () => ['127.0.0.1'])
  expect(await ask(`http://git.hearth.invalid:${server.port}/shop.git`, 'main', named)).toBe('there')
  expect(new Set(seen)).toEqual(new Set([`git.hearth.invalid:${server.port}`]))
  expect(await ask(`git://git.hearth.invalid:${port}/shop.git`, 'main', named)).toBe('there')
})

test('a redirect is not followed, even to an allowed address', async () => {
  const inner: string[] = []
  await using secret = await serve(({ url }, response) => {
    inner.push(url ?? '')
    response.end(`${'a'.repeat(40)}\trefs/heads/main\n`)
  })
  await using server = await serve(({ url }, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${secret.port}${url}` }).end()
  })
  expect(await ask(`http://127.0.0.1:${server.port}/shop.git`)).toEqual(noAnswer)
  expect(inner).toEqual([])
})

test('an answer of a hundred thousand references is refused, and a name that only ends like the branch does not match', async () => {
  const references = Array.from(
    { length: 100_000 },
    (_, n) => `${'a'.repeat(40)}\trefs/x/${n}/refs/heads/main\n`,
  )
  await using many = await serve((_, response) => response.end(references.join('')))
  expect(await ask(`http://127.0.0.1:${many.port}/shop.git`)).toEqual(noAnswer)
  await using alike = await serve((_, response) => response.end(references[0]))
  expect(await ask(`http://127.0.0.1:${alike.port}/shop.git`)).toBe('missing')
})

test('the token is sent to its own server only, and nothing else of this machine is sent', async () => {
  vi.stubEnv('http_proxy', 'http://127.0.0.1:1')
  vi.stubEnv('GIT_CONFIG_PARAMETERS', "'http.extraHeader=X-Ambient: yes'")
  const seen: { authorization: string | undefined; ambient: unknown }[] = []
  await using server = await serve(({ headers }, response) => {
    seen.push({ authorization: headers.authorization, ambient: headers['x-ambient'] })
    if (headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    else response.end(`${'a'.repeat(40)}\trefs/heads/main\n`)
  })
  const url = `http://127.0.0.1:${server.port}/shop.git`
  expect(await ask(url)).toEqual(noAnswer)
  expect(await ask(url, 'main', loopback, 'hunter2')).toBe('there')
  vi.unstubAllEnvs()
  const basic = `Basic ${Buffer.from('hearth:hunter2').toString('base64')}`
  expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set([undefined, basic]))
  expect(seen.every(({ ambient }) => ambient === undefined)).toBe(true)
})

test.each([
  'ssh://git@127.0.0.1/shop.git',
  'git@127.0.0.1:shop.git',
  `file://${folder}/shop.git`,
  join(folder, 'shop.git'),
  'ext::sh -c true',
  'https://',
])('nothing is asked for %s', async (url) => {
  expect(await ask(url)).toEqual({
    unknown: 'its server is not asked from here: only https://, http:// and git:// are',
  })
})

async function serve(answer: RequestListener): Promise<AsyncDisposable & { port: number }> {
  const server = createHttpServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
