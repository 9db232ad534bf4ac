import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalCommandRunner } from '../command/local.ts'
import { closeMachines } from './rights.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-rights-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('what an earlier agent left open is closed, what QEMU needs to pass stays passable', async () => {
  const machines = join(folder, 'environments')
  const machine = join(machines, 'one')
  await mkdir(machine, { recursive: true })
  const base = join(folder, 'base.qcow2')
  for (const path of [base, join(machine, 'disk.qcow2'), join(machine, 'seed.tar')]) {
    await writeFile(path, '')
    await chmod(path, 0o644)
  }
  for (const path of [machines, machine]) await chmod(path, 0o755)
  await symlink(base, join(machine, 'base'))
  await closeMachines(new LocalCommandRunner(), machines)
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
  expect(await Promise.all([machines, machine].map(modeOf))).toEqual(['711', '711'])
  expect(await Promise.all(['disk.qcow2', 'seed.tar'].map((name) => modeOf(join(machine, name))))).toEqual([
    '600',
    '600',
  ])
  expect(await modeOf(base)).toBe('644')
})

test('a host without machines has nothing to close', async () => {
  await closeMachines(new LocalCommandRunner(), join(folder, 'none'))
})
