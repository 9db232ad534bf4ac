import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isProgramFaulty,
  pipelinePhaseOf,
  pipelinePhases,
  pipelinePrograms,
  pipelineProgramTable,
  pipelineResources,
  pipelineResourcesTable,
  pipelineRuntimeDesiredTable,
  pipelineRuntimes,
  pipelineRuntimesDesired,
  pipelineStorages,
  pipelineStorageTable,
} from './pipeline-status.ts'

type Table = Readonly<Record<string, readonly string[]>>

/** Every status reachable from the given one, itself included. */
function reachable(table: Table, from: string): Set<string> {
  const reached = new Set([from])
  for (const status of reached) for (const to of table[status] ?? []) reached.add(to)
  return reached
}

test.each<[string, Table, readonly string[]]>([
  ['resources', pipelineResourcesTable, pipelineResources],
  ['storage', pipelineStorageTable, pipelineStorages],
  ['program', pipelineProgramTable, pipelinePrograms],
])('%s: every status is reached from every other, so that nothing is final', (_, table, statuses) => {
  expect(Object.keys(table).toSorted()).toEqual([...statuses].toSorted())
  for (const status of statuses) expect(reachable(table, status), status).toEqual(new Set(statuses))
})

test('what is wanted of a runtime never goes back to standby, and nothing follows a suspension', () => {
  expect(Object.keys(pipelineRuntimeDesiredTable).toSorted()).toEqual([...pipelineRuntimesDesired].toSorted())
  const toStandby = pipelineRuntimesDesired.filter((from) =>
    pipelineRuntimeDesiredTable[from].includes('standby'),
  )
  expect(toStandby).toEqual(['standby'])
  expect(reachable(pipelineRuntimeDesiredTable, 'suspended')).toEqual(new Set(['suspended']))
  expect(pipelineRuntimeDesiredTable.standby).not.toContain('suspended')
  for (const status of pipelineRuntimesDesired)
    expect(pipelineRuntimeDesiredTable[status], status).toContain(status)
})

test('a machine is given up from wherever it is, and nothing starts while one is', () => {
  expect(reachable(pipelineResourcesTable, 'provisioning')).toContain('stopped')
  for (const status of pipelineResources)
    if (status !== 'stopped') expect(pipelineResourcesTable[status], status).not.toContain('provisioning')
})

test('a program is built only after it was checked, and compiled anew from wherever it is', () => {
  expect(pipelinePrograms.filter((from) => pipelineProgramTable[from].includes('success'))).toEqual([
    'building',
  ])
  expect(pipelinePrograms.filter((from) => pipelineProgramTable[from].includes('building'))).toEqual([
    'checked',
  ])
  for (const status of pipelinePrograms)
    if (status !== 'pending') expect(pipelineProgramTable[status], status).toContain('pending')
  expect(pipelinePrograms.filter(isProgramFaulty)).toEqual(['check_error', 'build_error', 'system_error'])
})

test('storage is cleared by way of clearing only', () => {
  expect(pipelineStorages.filter((from) => pipelineStorageTable[from].includes('cleared'))).toEqual([
    'clearing',
  ])
  expect(pipelineStorageTable.clearing).not.toContain('in_use')
})

test('the phase is the runtime’s word exactly while there is a machine', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...pipelineResources),
      fc.option(fc.constantFrom(...pipelineRuntimes)),
      (resources, runtime) => {
        const phase = pipelinePhaseOf(resources, runtime)
        expect(pipelinePhases).toContain(phase)
        expect(phase).toBe(resources === 'provisioned' ? (runtime ?? 'unavailable') : resources)
      },
    ),
  )
})
