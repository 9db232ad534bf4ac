import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { inputContract } from '../../guest/input-contract.ts'
import { SyntheticInputs } from './synthetic-inputs.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-synthetic-inputs-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('inputs of a synthetic guest keep the contract:', () => {
  for (const [promise, holds] of inputContract)
    test(promise, async () => {
      const inputs = new SyntheticInputs(folder)
      const content = (path: string) => readFile(inputs.fileOf(path)).catch(() => null)
      await holds({ inputs, folder: '/var/lib/app', content })
    })
})
