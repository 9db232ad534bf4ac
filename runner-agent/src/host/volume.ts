import type { Ownership } from './machine.ts'

/** Stored in the volume's own folder: proves which runner owns the volume. */
export type VolumeOwnership = Omit<Ownership, 'environmentId'> & { volumeId: string }

export interface VolumeSpecification {
  volumeId: string
  bytes: number
  /** The volume on this host that it is a copy of; null for an empty one. */
  sourceId: string | null
}

/** What the host shows of one volume. */
export interface Volume {
  volumeId: string
  /** Null where there is no volume, or where nothing proves its owner. */
  ownership: VolumeOwnership | null
  /** `partial`: making it was cut. */
  phase: 'absent' | 'partial' | 'present'
  /** Its size as a machine sees it. */
  bytes: number
  /** What it takes of the host's disk. */
  usedBytes: number
  /** Counts how often it was emptied. */
  contentNumber: number
  /** The machine that it is kept for, whether or not that runs. */
  environmentId: string | null
  /** Whether that machine runs, or stands still, with the disk in it. */
  isPlugged: boolean
}

export interface VolumeEntry {
  volumeId: string
  ownership: VolumeOwnership | null
}
