import type { Address, Task } from '@hearth/contract'
import { hearth } from '../system/command.ts'
import { until } from '../system/following.ts'
import { type GuestService, startGuestService } from './guest-service.ts'
import { OpenConnection } from './open-connection.ts'
import { measureLines } from './run-lines.ts'
import { median } from './statistics.ts'
import { plain, type Row } from './table.ts'
import { watchMemory } from './watched-memory.ts'

const rounds = 15
/** Rounds before those that count: a guest that has just booted is busy with itself. */
const warmingRounds = 5
const printedMebibytes = 200
const mostMoreMebibytes = 50
const bootMilliseconds = 600_000

/** `hearth run` against `ssh` over an open connection, how late a printed line is, and what much output costs. */
export async function benchRun(): Promise<Row[]> {
  await using guests = await startGuestService(1)
  const address = await bootGuest(guests)
  const rows = await measureCommands(guests, address)
  rows.push(...(await measureOutput(guests)))
  rows.push(...(await measureLines(guests.service)))
  return rows
}

const machineName = 'measured'

async function bootGuest({ service, environmentClassId }: GuestService): Promise<Address> {
  const { client } = service
  const { projectId } = await client.apply({ apiVersion: 'hearth/v1', name: 'run' })
  const { metadata } = await client.environments.create({
    name: machineName,
    spec: { projectId, environmentClassId },
  })
  const runs = ({ status }: { status: { phase: string } }) => status.phase === 'running'
  const look = () => client.environments.get(metadata.id)
  const { status } = await until(client, 'the machine', look, runs, bootMilliseconds)
  if (status.address === null) throw new Error('the machine has no address')
  return status.address
}

/** Both alternate. What `hearth` itself needs to start counts; that `ssh` does too. */
async function measureCommands({ service, agentKeyPath }: GuestService, address: Address): Promise<Row[]> {
  await using shell = await OpenConnection.to(address, agentKeyPath, service.folder)
  const samples = { hearth: [] as number[], bare: [] as number[] }
  for (let round = 0; round < warmingRounds + rounds; round += 1) {
    samples.bare.push(await timed(() => shell.run('true')))
    samples.hearth.push(
      await timed(async () => {
        const { status, stderr } = await hearth(service, 'run', machineName, '--', 'true')
        if (status !== 0) throw new Error(`hearth run ended with ${status}: ${stderr}`)
      }),
    )
  }
  const counted = { hearth: samples.hearth.slice(warmingRounds), bare: samples.bare.slice(warmingRounds) }
  const floor = median(counted.bare)
  return [
    {
      measure: 'hearth run -- true, against 1.5 ssh + 100 ms',
      hearth: median(counted.hearth),
      floor: 1.5 * floor + 100,
      unit: 'ms',
      most: 1,
    },
    plain('ssh true over an open connection', floor, 'ms'),
  ]
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** The memory of both programs while a run prints much, against that before it; both ends of it must be kept. */
async function measureOutput({ service, agent }: GuestService): Promise<Row[]> {
  const { client } = service
  const command = `echo first; head -c ${printedMebibytes}M /dev/zero | tr '\\0' x; echo; echo last`
  const watched = {
    agent: watchMemory(agent),
    controlPlane: watchMemory(service.controlPlane),
  }
  const made = await client.tasks.create({ spec: { environment: machineName, command } })
  const ended = await until(
    client,
    'the end of the output',
    () => client.tasks.get(made.metadata.id),
    ({ status }: Task) => status.phase === 'succeeded' || status.phase === 'failed',
    bootMilliseconds,
  )
  const output = ended.status.run?.output ?? ''
  if (!output.startsWith('first\n') || !output.endsWith('\nlast\n'))
    throw new Error(`both ends of the output must be kept: ${output.slice(0, 80)} ... ${output.slice(-80)}`)
  const row = (program: string, more: number): Row => ({
    ...plain(`memory for ${printedMebibytes} MiB of output, ${program}`, more, 'MiB'),
    most: mostMoreMebibytes,
  })
  return [row('agent', watched.agent.stop()), row('control plane', watched.controlPlane.stop())]
}
