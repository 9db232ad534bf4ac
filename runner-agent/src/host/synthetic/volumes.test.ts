import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'vitest'
import { volumeContract } from '../volume-contract.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-volumes-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('what hosts promise of volumes', () => {
  for (const [promise, holds] of volumeContract)
    test(promise, () =>
      holds({
        host: syntheticHostAt(folder, 'runner-1'),
        owner: 'runner-1',
        foreignHost: syntheticHostAt(folder, 'runner-2'),
        specification: syntheticSpecification,
      }),
    )
})
