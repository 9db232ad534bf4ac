import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { newId, systemClock } from '@hearth/foundation'
import {
  generateSecureShellKeyPair,
  LayerWorld,
  LibvirtHost,
  LocalCommandRunner,
  layerOperations,
} from '@hearth/runner-agent'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { domainsOf, virshUri } from './domains.ts'
import { guestNetwork } from './guest-network.ts'
import { newRunFolder } from './host.ts'
import { offerMuteImage } from './images.ts'
import { layersAt } from './layers-at.ts'
import { removeRun } from './leftovers.ts'
import { muteSpecification } from './mute-specification.ts'
import { processesWith } from './processes.ts'

/** Rounds in each of which operations interleave; with HEARTH_TEST_CUTS=all 30 of them in five worlds. */
const [worlds, roundsOfWorld] = process.env.HEARTH_TEST_CUTS === 'all' ? [5, 6] : [1, 4]
const seed = Number(process.env.HEARTH_TEST_SEED ?? Date.now() % 2 ** 31)
const owner = newId()
let folder: string

beforeAll(async () => {
  console.info(`seed ${seed}`)
  folder = await newRunFolder()
  await offerMuteImage(join(folder, 'images'), 'mute')
})
afterAll(() => removeRun(folder, [owner]))

const anyOperation = fc.record({
  kind: fc.constantFrom(...layerOperations),
  machine: fc.nat(),
  layer: fc.nat(),
})
const anyRounds = fc.array(fc.array(anyOperation, { minLength: 2, maxLength: 3 }), {
  minLength: roundsOfWorld,
  maxLength: roundsOfWorld,
})

function hostAt(place: string) {
  const settings = layersAt(join(folder, `${place}-layers`))
  const host = new LibvirtHost({
    runner: new LocalCommandRunner(),
    uri: virshUri,
    virtualization: 'qemu',
    imagesFolder: join(folder, 'images'),
    machinesFolder: join(folder, place),
    ...settings,
    owner,
    ...guestNetwork,
    agentKey: generateSecureShellKeyPair('agent').publicKey,
    capacity: {},
    clock: systemClock,
  })
  return { host, exclusion: settings.exclusion }
}

/** Files, domains, and processes of guests. */
async function leftOf(places: readonly string[]): Promise<string[]> {
  const folders = places.flatMap((place) => [place, `${place}-layers`]).map((name) => join(folder, name))
  const names = await Promise.all(folders.filter((path) => existsSync(path)).map((path) => readdir(path)))
  const processes = processesWith(folder).map((id) => `process ${id}`)
  return [...names.flat(), ...(await domainsOf([owner])), ...processes]
}

it('whatever is started, deleted, flattened, copied and collected at once, no layer in use goes and nothing is left', async () => {
  const outcomes = { done: 0, refused: 0 }
  let count = 0
  const property = fc.asyncProperty(anyRounds, async (rounds) => {
    count += 1
    const places = [`first-${count}`, `second-${count}`]
    const { host: first, exclusion } = hostAt(`first-${count}`)
    const { host: second } = hostAt(`second-${count}`)
    const left = () => leftOf(places)
    const world = new LayerWorld({ first, second, owner, exclusion, specification: muteSpecification, left })
    const { done, refused } = await world.run(rounds)
    outcomes.done += done
    outcomes.refused += refused
  })
  await fc.assert(property, { seed, numRuns: worlds, endOnFailure: true })
  console.info(outcomes)
  expect(outcomes.done).toBeGreaterThan(outcomes.refused)
}, 1_800_000)
