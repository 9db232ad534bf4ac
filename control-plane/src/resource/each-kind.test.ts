import pino from 'pino'
import { expect, test } from 'vitest'
import type { Kind } from './define.ts'
import { eachKind } from './each-kind.ts'

test('what is due is done for the kinds after one that fails, which is logged by its name', async () => {
  const logged: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(line) })
  const done: string[] = []
  const kind = (name: string): Kind => ({ name, routes: [] })
  await eachKind(
    [kind('first'), kind('faulty'), kind('last')],
    async ({ name }) => {
      if (name === 'faulty') throw new Error('a row is odd')
      done.push(name)
    },
    log,
  )
  expect(done).toEqual(['first', 'last'])
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('"kind":"faulty"')
  expect(logged[0]).toContain('a row is odd')
})
