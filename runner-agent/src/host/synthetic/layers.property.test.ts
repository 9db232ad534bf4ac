import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '@hearth/foundation'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ExclusionScope } from '../exclusion-scope.ts'
import { LayerWorld, layerOperations } from '../layer-world.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'

/** Together 1,000 rounds, in each of which operations interleave. */
const worlds = 125
const roundsOfWorld = 8
const owner = newId()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-layers-property-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const anyOperation = fc.record({
  kind: fc.constantFrom(...layerOperations),
  machine: fc.nat(),
  layer: fc.nat(),
})
const anyRounds = fc.array(fc.array(anyOperation, { minLength: 2, maxLength: 3 }), {
  minLength: roundsOfWorld,
  maxLength: roundsOfWorld,
})

test('whatever is started, deleted, flattened, copied and collected at once, no layer in use goes and nothing is left', async () => {
  const outcomes = { done: 0, refused: 0 }
  let count = 0
  const property = fc.asyncProperty(anyRounds, async (rounds) => {
    count += 1
    const place = join(folder, String(count))
    const exclusion = new ExclusionScope(join(place, 'locks'), 'first')
    const folders = ['first', 'second'].flatMap((host) =>
      ['environments', 'layers'].map((files) => join(place, host, files)),
    )
    const world = new LayerWorld({
      first: syntheticHostAt(join(place, 'first'), owner, { exclusion }),
      second: syntheticHostAt(join(place, 'second'), owner),
      owner,
      exclusion,
      specification: syntheticSpecification,
      left: async () => {
        const names = await Promise.all(folders.map((path) => readdir(path).catch((): string[] => [])))
        return names.flat()
      },
    })
    const { done, refused } = await world.run(rounds)
    outcomes.done += done
    outcomes.refused += refused
    await rm(place, { recursive: true, force: true })
  })
  const seed = Date.now() % 2 ** 31
  console.info(`seed ${seed}`)
  await fc.assert(property, { seed, numRuns: worlds, endOnFailure: true })
  expect(outcomes.done).toBeGreaterThan(outcomes.refused)
}, 600_000)
