import type { HearthClient } from '@hearth/client'
import type { Claim, claimCreateSchema, LifeSpec } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { z } from 'zod'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { type Access, saveAccess } from './access.ts'
import { type KeyPair, keyPair } from './key-pair.ts'

export interface ClaimWish {
  project: string
  environmentClass?: string | undefined
  fallback: 'cold' | 'refuse'
  /** What is bound to the machine. */
  binding?: Partial<z.input<typeof claimCreateSchema>['spec']>
  /** How long to wait for an environment that has to be created first; 0 does not wait. */
  waitSeconds: number
  life?: LifeSpec | undefined
  /** The id of the only runner whose machines will do. */
  runner?: string | undefined
}

export interface TakenClaim {
  claim: Claim
  /** Null while the environment is still being created. */
  access: Access | null
  /** Time from the request to the answer with the address. */
  milliseconds: number
}

/** Claims an environment, waits for a cold one if asked to, and stores the access to it. */
export async function takeClaim(
  client: HearthClient,
  wish: ClaimWish,
  options: {
    stateFolder: string
    variables: Readonly<Record<string, string | undefined>>
    signal: AbortSignal
    /** Shows how the claim is bound, until it is or the signal aborts. */
    follow?: (claim: Claim, signal: AbortSignal) => Promise<unknown>
  },
): Promise<TakenClaim> {
  const { signal } = options
  const pair = await keyPair(options.stateFolder, options.variables)
  const started = performance.now()
  const { project, environmentClass, fallback, life, runner } = wish
  let claim = await client.claims.create(
    {
      spec: { project, environmentClass, fallback, publicKey: pair.publicKey, life, runner, ...wish.binding },
    },
    { signal },
  )
  if (claim.status.phase === 'pending' && claim.status.binding !== null && wish.waitSeconds > 0)
    await follow(claim, wish.waitSeconds, options)
  for (let left = remaining(started, wish); claim.status.phase === 'pending' && left > 0; ) {
    claim = await client.claims.wait(claim.metadata.id, Math.ceil(Math.min(left, 50)), { signal })
    left = remaining(started, wish)
  }
  const milliseconds = performance.now() - started
  const { phase, failure } = claim.status
  if (phase === 'failed') {
    const cause = failure?.message ?? 'no cause is known'
    const lines = failure?.lastLines?.map((line) => `\n  ${line}`).join('') ?? ''
    const look =
      claim.status.binding?.phase === 'failed' ? `\nhearth why ${claim.metadata.name} says more` : ''
    throw new CommandError(`the claim failed: ${cause}${lines}${look}`, exitCodes.failure)
  }
  if (phase === 'released')
    throw new HearthError('conflict', 'the claim was released while it was waited for')
  return takeBound(claim, { pair, folder: options.stateFolder, milliseconds })
}

/** Stores the access to a claim that has its environment; one that has none yet has no access either. */
export function takeBound(
  claim: Claim,
  { pair, folder, milliseconds }: { pair: KeyPair; folder: string; milliseconds: number },
): TakenClaim {
  const { connection } = claim.status
  if (connection === null) return { claim, access: null, milliseconds }
  const access: Access = { id: claim.metadata.id, kind: 'claim', connection }
  saveAccess(folder, pair.privateKeyFile, access)
  return { claim, access, milliseconds }
}

/** That it takes too long is told by the claim itself. */
async function follow(
  claim: Claim,
  seconds: number,
  options: { signal: AbortSignal; follow?: (claim: Claim, signal: AbortSignal) => Promise<unknown> },
): Promise<void> {
  const enough = AbortSignal.timeout(seconds * 1_000)
  try {
    await options.follow?.(claim, AbortSignal.any([options.signal, enough]))
  } catch (error) {
    if (!enough.aborted || options.signal.aborted) throw error
  }
}

function remaining(started: number, { waitSeconds }: ClaimWish): number {
  return waitSeconds - (performance.now() - started) / 1_000
}
