import { expect, test } from 'vitest'
import { check } from './check.ts'
import { goneLayers, type HostLook } from './gone-layers.ts'
import { calmHistory, layer, machine } from './sample.ts'

const look = (machines: HostLook['machines'], layers: HostLook['layers']): HostLook => ({
  runnerId: 'runner-1',
  machines,
  layers,
})
const standing = machine('m', { layerId: 'base' })

test('a layer that is gone from under a machine, or another layer, in two looks was removed in use', () => {
  expect(goneLayers(look([standing], []), look([standing], []))).toHaveLength(1)
  const child = layer('child', { parentId: 'base' })
  expect(goneLayers(look([], [child]), look([], [child]))).toHaveLength(1)
  const gone = ['on runner-1, base was removed from under machine m']
  expect(check(calmHistory({ goneLayers: gone })).map(({ rule }) => rule)).toEqual(['layer in use'])
})

test('what went with its machine, or is there again, was not', () => {
  expect(goneLayers(look([standing], []), look([], []))).toEqual([])
  expect(goneLayers(look([standing], []), look([standing], [layer('base')]))).toEqual([])
  const moved = machine('m', { layerId: 'other' })
  expect(goneLayers(look([standing], []), look([moved], [layer('other')]))).toEqual([])
  const partial = { layerId: 'base', layer: null }
  expect(goneLayers(look([standing], [partial]), look([standing], [partial]))).toEqual([])
})
