import { expect, test } from 'vitest'
import { pipelineLimits, pipelineRuntimeSettingsSchema } from './pipeline-program.ts'

test.each(['storage', 'faultTolerance', 'settings'])('runtime.%s is kept up to 64 KiB of JSON', (field) => {
  const ofBytes = (bytes: number) => {
    const empty = { text: '' }
    return { text: 'x'.repeat(bytes - JSON.stringify(empty).length) }
  }
  const parse = (value: unknown) => pipelineRuntimeSettingsSchema.safeParse({ [field]: value }).success
  expect(parse(ofBytes(pipelineLimits.configurationBytes))).toBe(true)
  expect(parse(ofBytes(pipelineLimits.configurationBytes + 1))).toBe(false)
})

test('runtime.storage and runtime.faultTolerance may be any JSON, and need not be given', () => {
  for (const value of [undefined, null, false, 3, 'latest', ['a']])
    expect(pipelineRuntimeSettingsSchema.parse({ storage: value, faultTolerance: value })).toMatchObject(
      value === undefined ? {} : { storage: value, faultTolerance: value },
    )
})
