import type { HearthClient } from '@hearth/client'
import type { Environment, Failure } from '@hearth/contract'
import { newId } from '@hearth/foundation'
import { expect, test } from 'vitest'
import type { Terminal } from '../output/terminal.ts'
import { environmentKind } from './environment.ts'

const id = newId()
const failure = (message: string): Failure => ({ code: 'command_failed', message })
const seen = (phase: string, failed: Failure | null) =>
  ({ metadata: { id, name: 'shop-1' }, status: { phase, failure: failed } }) as unknown as Environment

/** Deletes an environment; successive reads of it return these states. */
async function removal(...states: Environment[]) {
  const reads = states.values()
  const get = async () => {
    const { value } = reads.next()
    if (value === undefined) throw new Error('read too often')
    return value
  }
  const client = { environments: { get, delete: async () => undefined } } as unknown as HearthClient
  const { signal } = new AbortController()
  const view = { client, terminal: {} as Terminal, now: new Date(0), signal }
  const removed = await environmentKind.remove?.(view, id, { force: false })
  return async () => removed?.gone(signal)
}

test('an earlier failure of the machine is not a failure of its deletion', async () => {
  const old = seen('failed', failure('exit status 1'))
  const gone = await removal(old, old, seen('deleting', null), seen('deleted', null))
  expect([await gone(), await gone(), await gone()]).toEqual([false, false, true])
})

test('a deletion that fails says why', async () => {
  const gone = await removal(seen('running', null), seen('failed', failure('the host said no')))
  await expect(gone()).rejects.toMatchObject({ code: 'conflict', message: 'the host said no' })
  const again = await removal(
    seen('failed', failure('exit status 1')),
    seen('failed', failure('the host said no')),
  )
  await expect(again()).rejects.toMatchObject({ code: 'conflict', message: 'the host said no' })
})
