import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HearthClient } from '@hearth/client'
import type { Address, Environment, ProjectDeclarationInput } from '@hearth/contract'
import { serveRepository } from '../hardware/git-server.ts'
import { secureShell } from '../hardware/secure-shell.ts'
import { until } from '../system/following.ts'
import { startGuestService } from './guest-service.ts'
import { median } from './statistics.ts'
import type { Row } from './table.ts'

const rounds = 5
const fillMilliseconds = 600_000
const commands = { project: 'echo project', repository: 'echo repository', pool: 'echo pool' }

/** The steps inside the guest, from its first answer on, against the same commands in one bare `ssh` session. */
export async function benchSteps(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  await using git = await serveRepository(join(folder, 'git'), 'shop', {
    'README.md': '# Shop\n',
    '.hearth/init': '#!/bin/bash\necho initialised\n',
  })
  await using guests = await startGuestService(1, { HEARTH_GUEST_ALLOW: git.opened })
  const { client } = guests.service
  const url = git.url('shop')
  const samples = { hearth: [] as number[], bare: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    await using stepped = await newMachine(client, `stepped-${round}`, {
      repositories: [{ url, setup: [commands.repository] }],
      variables: { GREETING: 'hello' },
      setup: [commands.project],
      warmPools: [{ environmentClass: 'measured', min: 1, setup: [commands.pool] }],
    })
    samples.hearth.push(insideGuest(stepped.environment))
  }
  for (let round = 0; round < rounds; round += 1) {
    // As cold as the others: nothing it runs has been read from its disk before.
    await using bare = await newMachine(client, `bare-${round}`, {
      warmPools: [{ environmentClass: 'measured', min: 1 }],
    })
    const { address } = bare.environment.status
    if (address === null) throw new Error('the machine has no address')
    samples.bare.push(await runBare(address, guests.agentKeyPath, url))
  }
  const unit = 'ms'
  return [
    {
      measure: 'steps in the guest',
      hearth: median(samples.hearth),
      floor: median(samples.bare),
      unit,
      most: 1.5,
    },
  ]
}

async function newMachine(
  client: HearthClient,
  name: string,
  declaration: Pick<ProjectDeclarationInput, 'repositories' | 'variables' | 'setup' | 'warmPools'>,
) {
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name, ...declaration })
  const read = async () => (await client.environments.list({ projectId })).items[0]
  const isReady = (machine?: Environment) => machine?.status.phase === 'running'
  const environment = await until(client, 'the machine', read, isReady, fillMilliseconds)
  if (environment === undefined) throw new Error('there is no machine')
  return {
    environment,
    async [Symbol.asyncDispose]() {
      await client.projects.delete(projectId)
      await until(client, 'its end', read, (machine) => machine === undefined, fillMilliseconds)
    },
  }
}

/** From the guest's first answer until its readiness is announced, both by this machine's clock. */
function insideGuest({ status }: Environment): number {
  const answered = status.steps.find(({ name }) => name === 'ensure_server')?.finishedAt ?? ''
  return Date.parse(status.readyAt ?? '') - Date.parse(answered)
}

async function runBare(address: Address, keyPath: string, url: string): Promise<number> {
  const script = [
    'set -e; cd /home',
    "printf '%s\\n' \"GREETING='hello'\" >bare.env",
    `git clone -- ${url} /home/bare`,
    '(cd bare && ./.hearth/init)',
    `bash -c '${commands.project}'`,
    `(cd bare && bash -c '${commands.repository}')`,
    `bash -c '${commands.pool}'`,
  ].join('\n')
  const began = performance.now()
  const { exitCode, stderr } = await secureShell(address, { keyPath }, 'bash -s', script)
  if (exitCode !== 0) throw new Error(`ssh exited with ${exitCode}: ${stderr}`)
  return performance.now() - began
}
