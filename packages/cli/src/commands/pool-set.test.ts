import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { specOf } from './pool-set.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-pool-set-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (text: string) => {
  const path = join(folder, 'setup.yaml')
  writeFileSync(path, text)
  return path
}

test('options that are not given stay unchanged, and each may be reset', () => {
  expect(specOf({ output: 'table' })).toEqual({})
  expect(specOf({ output: 'table', enable: true, branch: 'next', maxAge: 60 })).toEqual({
    enabled: true,
    branch: 'next',
    maxAgeMinutes: 60,
  })
  expect(specOf({ output: 'table', disable: true, branch: false, maxAge: false, run: false })).toEqual({
    enabled: false,
    branch: null,
    maxAgeMinutes: null,
    setup: [],
  })
})

test('commands are read from a file as a project file has them', () => {
  const path = fileOf('- make tools\n- name: build\n  command: make\n  timeoutSeconds: 60\n')
  expect(specOf({ output: 'table', runFile: path }).setup).toEqual([
    { name: 'make tools', command: 'make tools' },
    { name: 'build', command: 'make', timeoutSeconds: 60 },
  ])
})

test('an error in the file is reported with its place', () => {
  const path = fileOf('- name: build\n  timeoutSeconds: 60\n')
  expect(() => specOf({ output: 'table', runFile: path })).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining('no list of commands') }),
  )
  expect(() => specOf({ output: 'table', runFile: join(folder, 'absent') })).toThrow('cannot read')
})
