import { pipelineRuntimeSettingsSchema } from '@hearth/contract'
import { expect, test } from 'vitest'
import { type Edited, editOf } from './edit.ts'

const runtime = pipelineRuntimeSettingsSchema.parse({})
const before: Edited = {
  name: 'orders',
  environmentClassId: 'small',
  description: '',
  tags: [],
  program: { toolchain: 'sql', code: 'CREATE TABLE t (a INT)', udfRust: '', udfToml: '', configuration: {} },
  runtime,
}

test('what is given as it is already changes nothing', () => {
  const same = {
    name: 'orders',
    spec: { description: '', tags: [], program: { code: before.program.code }, runtime },
  }
  expect(editOf(before, same)).toMatchObject({ isChanged: false, isProgramChanged: false, storageBound: [] })
  expect(editOf(before, {})).toMatchObject({ after: before, isChanged: false })
})

test('a program is changed in part, and nothing else of it', () => {
  const { after, isChanged, isProgramChanged } = editOf(before, { spec: { program: { udfToml: 'x' } } })
  expect(after.program).toEqual({ ...before.program, udfToml: 'x' })
  expect([isChanged, isProgramChanged]).toEqual([true, true])
  expect(editOf(before, { name: 'other' })).toMatchObject({ isChanged: true, isProgramChanged: false })
})

test.each([
  [{ workers: 4 }, ['runtime.workers']],
  [{ faultTolerance: {} }, ['runtime.faultTolerance']],
  [{ storage: { backend: { name: 'file' } } }, ['runtime.storage']],
  [{ storageMebibytes: 64 }, ['runtime.storageMebibytes']],
  [{ provisioningSeconds: 9 }, []],
  [{ settings: { logging: 'debug' } }, []],
  [{ takesStandby: true }, []],
])('of %o what is stored depends on %o', (change, bound) => {
  const edit = editOf(before, { spec: { runtime: { ...runtime, ...change } } })
  expect(edit).toMatchObject({ isChanged: true, isProgramChanged: false, storageBound: bound })
})

test('what is stored is of one toolchain', () => {
  const edit = editOf(before, { spec: { program: { toolchain: 'command' } } })
  expect(edit.storageBound).toEqual(['program.toolchain'])
})
