import { type MachineQuotaName, machineQuotaNames, type QuotaShortage } from '@hearth/contract'

/** What environments use of each quota. */
export type MachineUse = Readonly<Record<MachineQuotaName, number>>
export type MachineLimits = Readonly<Record<MachineQuotaName, number | null>>

export interface MachineSize {
  virtualCpus: number
  memoryMebibytes: number
  diskGibibytes: number
}

/** What one more environment of this size uses. */
export function useOfOne(size: MachineSize): MachineUse {
  const { virtualCpus, memoryMebibytes, diskGibibytes } = size
  return { environments: 1, running: 1, virtualCpus, memoryMebibytes, diskGibibytes }
}

/** What an existing environment uses in addition when it is started. */
export const useOfStart: MachineUse = {
  environments: 0,
  running: 1,
  virtualCpus: 0,
  memoryMebibytes: 0,
  diskGibibytes: 0,
}

/** What is left of a use when these are not there. */
export function without(use: MachineUse, these: MachineUse): MachineUse {
  return {
    environments: use.environments - these.environments,
    running: use.running - these.running,
    virtualCpus: use.virtualCpus - these.virtualCpus,
    memoryMebibytes: use.memoryMebibytes - these.memoryMebibytes,
    diskGibibytes: use.diskGibibytes - these.diskGibibytes,
  }
}

export interface Room {
  /** How many of those that are wanted fit; never less than 0. */
  count: number
  /** The quota that leaves the least room, when not all fit. */
  short: QuotaShortage | null
}

/** How many more of `wanted` alike fit beside what is there. */
export function roomFor(limits: MachineLimits, use: MachineUse, each: MachineUse, wanted: number): Room {
  let room: Room = { count: wanted, short: null }
  for (const quota of machineQuotaNames) {
    const limit = limits[quota]
    if (limit === null || each[quota] === 0) continue
    const count = Math.max(0, Math.floor((limit - use[quota]) / each[quota]))
    if (count < room.count) room = { count, short: { quota, limit, use: use[quota] } }
  }
  return room
}

export const isLimited = (limits: MachineLimits) => machineQuotaNames.some((quota) => limits[quota] !== null)
