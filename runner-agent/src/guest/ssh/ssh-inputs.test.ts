import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalServer } from '../../secure-shell/local-server.fixture.ts'
import { ScriptedInputs } from '../bash/scripted-inputs.ts'
import { InputRefused } from '../input.ts'
import { inputContract } from '../input-contract.ts'
import { Links } from './links.ts'
import { runOverSsh } from './run-over-ssh.ts'

let folder: string
let server: LocalServer
let links: Links
let inputs: ScriptedInputs
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth input's folder "))
  server = await LocalServer.make()
  const { address, privateKey } = server
  const identity = { machineId: '', hostname: '', randomSeedDigest: '' }
  const connect = async () => server.connect()
  links = new Links({ environmentId: 'here', address, identity }, { privateKey, connect, clock: systemClock })
  inputs = new ScriptedInputs(runOverSsh(links))
})
afterEach(async () => {
  links.close()
  await server.remove()
  await rm(folder, { recursive: true, force: true })
})

describe('inputs of a guest over SSH keep the contract:', () => {
  for (const [promise, holds] of inputContract)
    test(promise, async () => {
      await holds({ inputs, folder, content: (path) => readFile(path).catch(() => null) })
      expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
    })
})

/** Of the text `x`. */
const x = { digest: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', bytes: 1 }
const read = async function* () {
  yield Buffer.from('x')
}
const bring = (path: string, user = 'root') =>
  inputs.bring({ ...x, path: join(folder, path), user }, read, AbortSignal.timeout(20_000))

test('only its user reads it, and the folders on the way are for all', async () => {
  expect(await bring('a/b/app.zip')).toBe('brought')
  expect((await stat(join(folder, 'a/b/app.zip'))).mode & 0o777).toBe(0o400)
  expect((await stat(join(folder, 'a/b'))).mode & 0o777).toBe(0o755)
})

test('what the guest cannot take is refused with its cause', async () => {
  await expect(bring('app.zip', 'nobody-here')).rejects.toThrow('the guest has no user nobody-here')
  await bring('file')
  await expect(bring('file/app.zip')).rejects.toThrow(/the folder of .* cannot be made/)
  await bring('folder/app.zip')
  const there = bring('folder')
  await expect(there).rejects.toBeInstanceOf(InputRefused)
  await expect(there).rejects.toThrow(/there is something else at/)
})
