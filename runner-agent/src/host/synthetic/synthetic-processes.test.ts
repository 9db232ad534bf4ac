import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@hearth/foundation'
import { afterEach, beforeEach, describe, test } from 'vitest'
import { type ProcessContractSetting, processContract } from '../../guest/process-contract.ts'
import { syntheticHostAt, syntheticSpecification } from './host.fixture.ts'
import { MachineStore } from './machine-store.ts'
import { SyntheticProcesses } from './synthetic-processes.ts'

const authority = { epoch: 1, generation: 1, assertHeld: async () => undefined }
const settings = {
  ...{ createMilliseconds: 0, bootMilliseconds: 0, stepMilliseconds: 0, freezeMilliseconds: 0 },
  ...{ resumeMilliseconds: 0, readMilliseconds: 0, failures: {}, repositories: null, runsCommands: false },
}

let folder: string
let setting: ProcessContractSetting
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-synthetic-processes-'))
  const { machines } = syntheticHostAt(folder, 'runner-1')
  const given = syntheticSpecification()
  const { environmentId } = given
  await machines.create(given, authority)
  await machines.start(environmentId, authority)
  const store = new MachineStore(join(folder, 'environments'), 'runner-1')
  const world = { settings, clock: systemClock, random: Math.random }
  setting = {
    processes: new SyntheticProcesses(environmentId, store, world),
    folder: '/home',
    async restart() {
      await machines.powerOff(environmentId, authority)
      await machines.start(environmentId, authority)
    },
  }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('tasks and services of a synthetic guest keep the contract:', () => {
  for (const [promise, holds] of processContract) test(promise, () => holds(setting))
})
