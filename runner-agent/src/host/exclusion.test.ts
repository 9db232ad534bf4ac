import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exclusively } from './exclusion.ts'

let folder: string
let locks: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-exclusion-'))
  locks = join(folder, 'a-state-folder-of-a-long-name'.repeat(8), 'locks')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A process that takes the lock, says so, and holds it until it ends. */
function holder() {
  const module = new URL('./exclusion.ts', import.meta.url).pathname
  const program = `import(${JSON.stringify(module)}).then(({ exclusively }) =>
    exclusively(${JSON.stringify(locks)}, 'machine', () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) })))`
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { child, held: new Promise<void>((resolve) => child.stdout.once('data', () => resolve())) }
}

test('work under one name runs one after another, whoever asks, and does not wait for other names', async () => {
  const order: string[] = []
  let count = 0
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      exclusively(locks, 'machine', async () => {
        count += 1
        expect(count).toBe(1)
        await exclusively(locks, `another ${index}`, async () => order.push('inner'))
        count -= 1
      }),
    ),
  )
  expect(order).toHaveLength(20)
  expect(await readdir(locks)).toEqual([])
})

test('only the owner can enter the folder, even if it was open before', async () => {
  await mkdir(locks, { recursive: true, mode: 0o755 })
  await exclusively(locks, 'machine', async () => {
    expect((await stat(locks)).mode & 0o777).toBe(0o700)
  })
})

test('failed work releases the lock', async () => {
  await expect(exclusively(locks, 'machine', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await exclusively(locks, 'machine', async () => 'again')).toBe('again')
})

test('a frozen process keeps its lock, and the lock of a killed one blocks nobody, however many wait', async () => {
  const { child, held } = holder()
  await held
  child.kill('SIGSTOP')
  let taken = 0
  const waiting = Array.from({ length: 8 }, () =>
    exclusively(locks, 'machine', async () => {
      taken += 1
      expect(taken).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      taken -= 1
    }),
  )
  const early = await Promise.race([
    Promise.all(waiting),
    new Promise((resolve) => setTimeout(resolve, 300, 'waits')),
  ])
  expect(early).toBe('waits')
  child.kill('SIGKILL')
  await Promise.all(waiting)
})

test('abstract socket names, which any user of the host may take, delay nobody', async () => {
  const { createHash } = await import('node:crypto')
  const taken = createServer()
  await new Promise<void>((resolve) =>
    taken.listen(`\0hearth-${createHash('sha256').update('machine').digest('hex')}`, () => resolve()),
  )
  expect(await exclusively(locks, 'machine', async () => 'done')).toBe('done')
  taken.close()
})
