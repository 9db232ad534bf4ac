import type { ReportedLayer } from '@hearth/contract'
import type { GivenIdentity, Ownership } from './machine.ts'

/** Stored in the layer's own folder: proves which runner owns the layer. */
export type LayerOwnership = Omit<Ownership, 'environmentId'> & {
  /** The id of the snapshot. */
  layerId: string
}

/** Who the guest in a layer thinks it is. */
export interface LayerOrigin {
  identity: GivenIdentity
  /** The guest's public host key, in OpenSSH's form. */
  hostKey: string
  user: string
}

/** The machine that a layer was frozen from. */
export interface LayerMachine {
  image: string
  imageFingerprint: string
  virtualCpus: number
  memoryMebibytes: number
  virtualBytes: number
  /** What the memory needs besides its size, as words that are equal on hosts that fit; null without memory. */
  emulation: string | null
}

export type LayerFileName = 'disk' | 'memory'

/** A part of a layer's file. */
export interface LayerPart {
  offset: number
  length: number
  isContinued: boolean
}

/** What a copy on another host has to know of a layer. */
export interface LayerManifest {
  layerId: string
  facts: ReportedLayer
  origin: LayerOrigin
  machine: LayerMachine
}

/** What the host shows of one snapshot's files: an immutable disk and perhaps a memory image. */
export interface Layer {
  layerId: string
  /** Null where there is no layer, or where nothing proves its owner. */
  ownership: LayerOwnership | null
  /** `partial`: freezing or copying it was cut. */
  phase: 'absent' | 'partial' | 'present'
  /** Null unless the layer is present; so are `origin` and `machine`. */
  facts: ReportedLayer | null
  origin: LayerOrigin | null
  machine: LayerMachine | null
}

export interface FreezeRequest {
  layerId: string
  environmentId: string
  /** Whether to keep the machine's memory; where that is not possible, the layer's `memoryFault` says why. */
  memory: boolean
}

export interface LayerEntry {
  layerId: string
  ownership: LayerOwnership | null
  /** Bytes of the layer's own files. */
  bytes: number
  parentId: string | null
  /** Ids of the environments and layers whose disks stand on this one. */
  usedBy: string[]
}
