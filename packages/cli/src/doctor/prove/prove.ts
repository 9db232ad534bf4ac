import type { HearthClient } from '@hearth/client'
import type { Claim, Environment, Snapshot } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import { waitUntil } from '../../commands/waiting.ts'
import { CommandError, exitCodes } from '../../exit-codes.ts'
import { formatDuration } from '../../output/duration.ts'
import { runTasks } from '../../output/progress.ts'
import { snapshotSummary } from '../../output/snapshot-text.ts'
import type { Terminal } from '../../output/terminal.ts'
import type { KeyPair } from '../../ssh/key-pair.ts'
import { takeBound } from '../../ssh/take-claim.ts'
import type { Ground } from './ground.ts'
import {
  type ClockError,
  type Entrance,
  type Inside,
  lookInside,
  reportedInside,
  runInside,
  startCounter,
  writeNote,
} from './inside.ts'
import { type Expected, judge } from './judge.ts'

export interface Proof {
  step: string
  /** Until the snapshot was ready, or until the last of the machines had answered a command. */
  milliseconds: number
  /** The worst of the machines' clocks; null for a snapshot. */
  clock: ClockError | null
  /** What is not as it should be. */
  faults: string[]
  /** What else there is to say. */
  note: string
}

export interface Prover {
  client: HearthClient
  terminal: Terminal
  ground: Ground
  pair: KeyPair
  entrance: Entrance
}

/** A boot of an emulated guest beside others takes minutes. */
const bootSeconds = 600

/**
 * Boots a machine, snapshots it with and without its memory, starts others from both, puts it back to both, suspends and
 * resumes it; looks each time who the guest thinks it is, what goes on in it, and what time it has. Tells each result as it comes.
 */
export async function prove(prover: Prover, prove: (proof: Proof) => void): Promise<void> {
  const { client, ground, entrance } = prover
  const { signal } = entrance
  const step = async (title: string, work: () => Promise<Omit<Proof, 'step'>>) => {
    const task = async () => {
      const proof = { step: title, ...(await work()) }
      prove(proof)
      const took = `${title}: ${formatDuration(proof.milliseconds)}`
      return proof.faults.length === 0 ? took : `${took}: ${proof.faults.join('; ')}`
    }
    await runTasks(prover.terminal, [{ title, work: task }], { concurrent: false })
  }
  const known: Inside[] = []
  let origin: Seen | null = null
  await step('boot from the image', async () => {
    const started = performance.now()
    const claim = await client.claims.create(
      { spec: { warmPoolId: ground.warmPoolId, fallback: 'cold', publicKey: prover.pair.publicKey } },
      { signal },
    )
    origin = await seeBound(prover, claim.metadata.id, started)
    const expected = { from: null, note: '', isCounting: false, identity: 'own' } as const
    return judged([origin], expected, known)
  })
  const { claimId, environment, inside } = required(origin)
  const inGuest = async (script: string) => {
    if (!ground.isSynthetic) await runInside(claimId, script, entrance)
  }
  known.push(inside)
  await inGuest(`${writeNote('before')}; ${startCounter}`)
  await step('snapshot of the disk', () =>
    frozen(prover, () => client.snapshots.create({ spec: { claim: claimId, memory: false } }, { signal })),
  )
  await step('checkpoint, disk and memory', () =>
    frozen(prover, () => client.claims.checkpoint(claimId, {}, { signal })),
  )
  const fork = async (count: number, cold: boolean): Promise<Omit<Proof, 'step'>> => {
    const started = performance.now()
    const made = await client.claims.fork(
      claimId,
      { count, cold, publicKey: prover.pair.publicKey },
      { signal },
    )
    const forks = await Promise.all(made.claims.map(({ metadata }) => seeBound(prover, metadata.id, started)))
    const from = cold ? 'disk' : 'memory'
    const proof = judged(forks, { from, note: 'before', isCounting: !cold, identity: 'own' }, known)
    for (const one of forks) {
      known.push(one.inside)
      await client.claims.release(one.claimId, { signal })
    }
    return proof
  }
  await step('a fork from the disk', () => fork(1, true))
  await step('two forks from the memory', () => fork(2, false))
  await inGuest(writeNote('after'))
  const restore = async (memory: boolean): Promise<Omit<Proof, 'step'>> => {
    const started = performance.now()
    await client.claims.restore(claimId, { memory }, { signal })
    await untilPhase(prover, environment.metadata.id, 'running')
    const seen = await seeBound(prover, claimId, started)
    const from = memory ? 'memory' : 'disk'
    const expected = { from, note: 'before', isCounting: memory, identity: 'same' } as const
    return judged([seen], expected, [inside])
  }
  await step('restore, disk and memory', () => restore(true))
  await step('suspend', async () => {
    const started = performance.now()
    await desire(prover, environment.metadata.id, 'suspended')
    return { milliseconds: performance.now() - started, clock: null, faults: [], note: '' }
  })
  await step('resume', async () => {
    const started = performance.now()
    const { resumed } = (await desire(prover, environment.metadata.id, 'running')).status
    const seen = await seeBound(prover, claimId, started)
    const proof = judged([seen], { from: null, note: 'before', isCounting: true, identity: 'same' }, [inside])
    const fault = resumed?.from === 'memory' ? [] : [`it booted: ${resumed?.reason ?? 'unknown why'}`]
    return { ...proof, faults: [...fault, ...proof.faults] }
  })
  await inGuest(writeNote('after'))
  await step('restore of the disk alone', () => restore(false))
}

interface Seen {
  claimId: string
  environment: Environment
  inside: Inside
  milliseconds: number
}

/** Waits until a claim has its machine, and looks into it. */
async function seeBound(prover: Prover, claimId: string, started: number): Promise<Seen> {
  const { client, entrance, ground, pair } = prover
  const { signal, stateFolder } = entrance
  const claim = await boundClaim(client, claimId, signal)
  const environment = await client.environments.get(claim.status.environmentId ?? '', { signal })
  let milliseconds = performance.now() - started
  if (ground.isSynthetic) return { claimId, environment, inside: reportedInside(environment), milliseconds }
  takeBound(claim, { pair, folder: stateFolder, milliseconds })
  const inside = await lookInside(claimId, environment, entrance, () => {
    milliseconds = performance.now() - started
  })
  return { claimId, environment, inside, milliseconds }
}

async function boundClaim(client: HearthClient, id: string, signal: AbortSignal): Promise<Claim> {
  const deadline = performance.now() + bootSeconds * 1_000
  for (;;) {
    const claim = await client.claims.wait(id, 50, { signal })
    const { phase, failure } = claim.status
    if (phase === 'bound') return claim
    if (phase !== 'pending')
      throw new CommandError(
        `claim ${claim.metadata.name} is ${phase}: ${failure?.message ?? 'no cause is known'}`,
        exitCodes.failure,
      )
    if (performance.now() > deadline)
      throw new HearthError('conflict', `after ${bootSeconds} s claim ${claim.metadata.name} has no machine`)
  }
}

/** Suspends or resumes a machine, and waits until it is so. */
async function desire(
  prover: Prover,
  environmentId: string,
  desiredPhase: 'running' | 'suspended',
): Promise<Environment> {
  const { client, entrance } = prover
  await client.environments.update(environmentId, { spec: { desiredPhase } }, { signal: entrance.signal })
  return await untilPhase(prover, environmentId, desiredPhase)
}

async function untilPhase(
  { client, entrance }: Prover,
  environmentId: string,
  phase: 'running' | 'suspended',
): Promise<Environment> {
  const { signal } = entrance
  let seen = await client.environments.get(environmentId, { signal })
  await waitUntil(
    `the machine to be ${phase}`,
    async () => {
      seen = await client.environments.get(environmentId, { signal })
      const { status } = seen
      if (status.phase === 'failed' || (status.phase !== phase && status.failure !== null))
        throw new CommandError(
          `the machine is ${status.phase}, not ${phase}: ${status.failure?.message ?? 'no cause is known'}`,
          exitCodes.failure,
        )
      return status.phase === phase
    },
    { seconds: bootSeconds, signal },
  )
  return seen
}

async function frozen(
  { client, entrance }: Prover,
  make: () => Promise<Snapshot>,
): Promise<Omit<Proof, 'step'>> {
  const { signal } = entrance
  const started = performance.now()
  let snapshot = await make()
  await waitUntil(
    `snapshot ${snapshot.metadata.name} to be ready`,
    async () => {
      snapshot = await client.snapshots.get(snapshot.metadata.id, { signal })
      return snapshot.status.phase !== 'pending' && snapshot.status.phase !== 'creating'
    },
    { seconds: bootSeconds, signal },
  )
  const { phase, memory, failure } = snapshot.status
  const milliseconds = performance.now() - started
  if (phase !== 'ready')
    throw new CommandError(
      `the snapshot is ${phase}: ${failure?.message ?? 'no cause is known'}`,
      exitCodes.failure,
    )
  const faults =
    snapshot.spec.memory && memory?.kept !== true
      ? [`it has no memory: ${memory?.reason ?? 'unknown why'}`]
      : []
  return { milliseconds, clock: null, faults, note: snapshotSummary(snapshot) }
}

/** Judges machines that started at once, each beside the others and those that are known. */
function judged(all: readonly Seen[], expected: Expected, known: readonly Inside[]): Omit<Proof, 'step'> {
  const faults = all.flatMap(({ environment, inside }) => {
    const others = all.filter((other) => other.inside !== inside).map((other) => other.inside)
    const beside = expected.identity === 'own' ? [...known, ...others] : known
    return judge(inside, environment.status.startedFrom, expected, beside).map((fault) =>
      all.length === 1 ? fault : `${environment.metadata.name}: ${fault}`,
    )
  })
  const clocks = all.map(({ inside }) => inside.clock)
  const worst =
    clocks.toSorted((one, other) => Math.abs(other.milliseconds) - Math.abs(one.milliseconds))[0] ?? null
  const gate = all.flatMap(({ environment }) => gateMilliseconds(environment) ?? [])
  return {
    milliseconds: Math.max(...all.map((one) => one.milliseconds)),
    clock: worst,
    faults,
    note: gate.length === 0 ? '' : `own_identity took ${formatDuration(Math.max(...gate))}`,
  }
}

const gateMilliseconds = ({ status }: Environment) =>
  status.steps.find(({ name, phase }) => name === 'own_identity' && phase === 'succeeded')
    ?.durationMilliseconds ?? null

function required(seen: Seen | null): Seen {
  if (seen === null) throw new Error('the machine was not looked into')
  return seen
}
