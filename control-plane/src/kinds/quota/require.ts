import type { QuotaLimits, ResourceQuotaName } from '@hearth/contract'
import type { DatabaseTransaction } from '../../database/connection.ts'
import { countMachines, countResources, type Holder, lockQuota } from './queries.ts'
import { refusal } from './refusal.ts'
import {
  isLimited,
  type MachineLimits,
  type MachineSize,
  type MachineUse,
  type Room,
  roomFor,
  useOfOne,
  useOfStart,
  without,
} from './room.ts'

/** Whom an environment is counted for, and their limits. */
export interface Accounts {
  organizationId: string
  /** null for a pool's member, which nobody holds yet. */
  principalId: string | null
  limits: QuotaLimits
}

/** Throws `quota_exceeded` unless one more environment fits; its place is reserved until the transaction ends. */
export async function requireRoomForMachine(
  tx: DatabaseTransaction,
  accounts: Accounts,
  size: MachineSize,
): Promise<void> {
  await requireRoom(tx, accounts, useOfOne(size))
}

/** The same for an existing environment that is to run again. */
export async function requireRoomToStart(tx: DatabaseTransaction, accounts: Accounts): Promise<void> {
  await requireRoom(tx, accounts, useOfStart)
}

async function requireRoom(tx: DatabaseTransaction, accounts: Accounts, each: MachineUse): Promise<void> {
  const { organizationId, principalId, limits } = accounts
  // Always the organization before the principal, so that two transactions do not deadlock.
  const bounds: { holder: Holder; limits: MachineLimits }[] = [
    { holder: { organizationId }, limits: limits.organization },
    ...(principalId === null ? [] : [{ holder: { principalId }, limits: limits.principal }]),
  ].filter((bound) => isLimited(bound.limits))
  // First without the lock, so that requests beyond the quota delay nobody.
  for (const bound of bounds) await requireCount(tx, bound.holder, bound.limits, each)
  for (const bound of bounds) {
    await lockQuota(tx, bound.holder, 'machines')
    await requireCount(tx, bound.holder, bound.limits, each)
  }
}

async function requireCount(
  tx: DatabaseTransaction,
  holder: Holder,
  limits: MachineLimits,
  each: MachineUse,
): Promise<void> {
  const { short } = roomFor(limits, await countMachines(tx, holder), each, 1)
  if (short !== null) throw refusal(short, holder)
}

/** How many new members of a pool fit; their places are reserved until the transaction ends. */
export async function takeRoom(
  tx: DatabaseTransaction,
  { organizationId, limits }: Pick<Accounts, 'organizationId' | 'limits'>,
  size: MachineSize,
  wanted: number,
): Promise<Room> {
  if (!isLimited(limits.organization)) return { count: wanted, short: null }
  await lockQuota(tx, { organizationId }, 'machines')
  const use = await countMachines(tx, { organizationId })
  return roomFor(limits.organization, use, useOfOne(size), wanted)
}

/**
 * Throws `quota_exceeded` when the environment that this transaction has given to a principal exceeds its quota. Must
 * be called last, so that concurrent claims wait only for the commit.
 */
export async function requireHeld(
  tx: DatabaseTransaction,
  principalId: string,
  limits: MachineLimits,
  size: MachineSize,
): Promise<void> {
  if (!isLimited(limits)) return
  // Sent together, and carried out one after the other: what is counted is seen under the lock.
  const [, use] = await Promise.all([
    lockQuota(tx, { principalId }, 'machines'),
    countMachines(tx, { principalId }),
  ])
  const given = useOfOne(size)
  const before = without(use, given)
  const { short } = roomFor(limits, before, given, 1)
  if (short !== null) throw refusal(short, { principalId })
}

/** Throws `quota_exceeded` unless one more thing of this kind fits. */
export async function requireResource(
  tx: DatabaseTransaction,
  organizationId: string,
  limits: QuotaLimits,
  quota: ResourceQuotaName,
): Promise<void> {
  const limit = limits.organization[quota]
  if (limit === null) return
  await lockQuota(tx, { organizationId }, quota)
  const use = await countResources(tx, organizationId, quota)
  if (use >= limit) throw refusal({ quota, limit, use }, { organizationId })
}
