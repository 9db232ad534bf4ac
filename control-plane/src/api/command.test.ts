import { expect, test } from 'vitest'
import type { DatabaseTransaction } from '../database/connection.ts'
import { type Command, type CommandContext, performCommand, type Transacted } from './command.ts'

const tx = {} as DatabaseTransaction
const context = {} as CommandContext
const once: Transacted<string> = async (work) => ({ answer: await work(tx), isRepeat: false })

function recorded() {
  const calls: string[] = []
  let runs = 0
  const command: Command<string, string, string> = {
    async prepare(_, input) {
      calls.push(`prepare ${input}`)
      return 'prepared'
    },
    async run(_, __, input, prepared) {
      runs += 1
      calls.push(`run ${input} ${prepared}`)
      return `outcome ${runs}`
    },
    async afterCommit(_, outcome) {
      calls.push(`after commit ${outcome}`)
    },
    afterFailure(_, error) {
      calls.push(`after failure ${String(error)}`)
    },
  }
  return { calls, command }
}

test('prepare runs before the transaction, and afterCommit after it', async () => {
  const { calls, command } = recorded()
  const noted: Transacted<string> = async (work) => {
    calls.push('begin')
    const answer = await work(tx)
    calls.push('commit')
    return { answer, isRepeat: false }
  }
  const answer = await performCommand(command, context, 'x', noted, (outcome) => `answer of ${outcome}`)
  expect(answer).toBe('answer of outcome 1')
  expect(calls).toEqual(['prepare x', 'begin', 'run x prepared', 'commit', 'after commit outcome 1'])
})

test('after a transaction that was rerun, afterCommit runs once, with what was committed', async () => {
  const { calls, command } = recorded()
  const again: Transacted<string> = async (work) => {
    await work(tx)
    return { answer: await work(tx), isRepeat: false }
  }
  await performCommand(command, context, 'x', again, (outcome) => outcome)
  expect(calls.filter((call) => call.startsWith('after'))).toEqual(['after commit outcome 2'])
})

test('a repeat of a finished request does not run afterCommit', async () => {
  const { calls, command } = recorded()
  const repeat: Transacted<string> = async () => ({ answer: 'the first answer', isRepeat: true })
  expect(await performCommand(command, context, 'x', repeat, (outcome) => outcome)).toBe('the first answer')
  expect(calls).toEqual(['prepare x'])
})

test('a failed transaction is reported and thrown, and afterCommit does not run', async () => {
  const { calls, command } = recorded()
  const failing: Transacted<string> = async (work) => {
    await work(tx)
    throw new Error('no commit')
  }
  await expect(performCommand(command, context, 'x', failing, (outcome) => outcome)).rejects.toThrow(
    'no commit',
  )
  expect(calls.slice(-1)).toEqual(['after failure Error: no commit'])
  expect(calls.some((call) => call.startsWith('after commit'))).toBe(false)
})

test('a command with only a transaction is carried out', async () => {
  const plain: Command<number, number> = { run: async (_, __, input) => input + 1 }
  expect(await performCommand(plain, context, 1, once, String)).toBe('2')
})
