import type { HearthClient } from '@hearth/client'
import { eventually } from '@hearth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, startInstallation } from './installation.ts'
import { pipelineWorld, simulatedRun } from './pipeline-world.ts'
import { type SyntheticAgent, startSyntheticAgent } from './synthetic-agent.ts'

/** What a pipeline prints, with a program that is simulated. */
let installation: Installation
let agent: SyntheticAgent
let client: HearthClient
const world = pipelineWorld(() => installation)

beforeAll(async () => {
  installation = await startInstallation()
  ;({ client } = installation)
  agent = await startSyntheticAgent(installation, {
    name: 'rack-1',
    timings: { heartbeat: 200, progressReport: 0 },
  })
}, 60_000)
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]()
  await installation?.[Symbol.asyncDispose]()
})

/** What is printed, in the order in which it comes. */
function reading(id: string, follow: boolean) {
  const read = { text: '' }
  const whole = async () => {
    const signal = AbortSignal.timeout(60_000)
    for await (const chunk of client.pipelines.logs(id, { follow, signal })) read.text += chunk.text
    return read.text
  }
  return { read, whole: whole() }
}

test('what is there is read, then what comes, until it is at rest; what its last machine printed stays', async () => {
  const printing = ['# simulated: after 0.1 print first', '# simulated: after 3 print second']
  const id = await world.running({ run: simulatedRun({ more: printing }) })
  await eventually(async () => ((await reading(id, false).whole).includes('first\n') ? true : null), {
    timeoutMilliseconds: 30_000,
  })
  const following = reading(id, true)
  await eventually(async () => (following.read.text.includes('second\n') ? true : null), {
    timeoutMilliseconds: 30_000,
  })
  await client.pipelines.stop(id)
  const whole = await following.whole
  expect(whole.match(/first|second/g)).toEqual(['first', 'second'])
  expect(whole).toContain('"status":"suspended"')
  expect(await reading(id, false).whole).toBe(whole)
  expect(await reading(id, true).whole).toBe(whole)
})

test('a compiler is read like a program, and one that never printed has printed nothing', async () => {
  const faulty = await world.made({ check: 'echo main.c:3:7: error: no such name\nexit 1' })
  expect(await reading(faulty, true).whole).toBe('main.c:3:7: error: no such name\n')
  expect((await world.get(faulty)).status.program).toBe('check_error')
  expect(await reading(await world.made(), true).whole).toBe('')
})
