import type { LayerOffer } from '@hearth/contract'
import { unseal } from '@hearth/foundation'

export interface Grant {
  layerId: string
  key: Buffer
  /** Milliseconds since 1970. */
  expiresAt: number
}

const keyBytes = 32

/** Which other runners may read which layers of this host, as the newest orders say. */
export class Grants {
  private readonly held = new Map<string, Grant>()

  constructor(
    private readonly sealingKey: string,
    private readonly clock: { now(): Date },
  ) {}

  /** The offers of one layer; they replace those of before. What was not sealed to this runner grants nothing. */
  replace(layerId: string, offers: readonly LayerOffer[]): void {
    for (const [id, grant] of this.held) if (grant.layerId === layerId) this.held.delete(id)
    for (const { id, sealedKey, expiresAt } of offers) {
      const key = openKey(sealedKey, this.sealingKey, id)
      if (key !== null) this.held.set(id, { layerId, key, expiresAt: Date.parse(expiresAt) })
    }
  }

  /** Null for a grant that is not known or has ended. */
  find(id: string): Grant | null {
    const grant = this.held.get(id)
    return grant === undefined || grant.expiresAt <= this.clock.now().getTime() ? null : grant
  }
}

/** Null where it does not open to a key. */
export function openKey(sealedKey: string, sealingKey: string, grantId: string): Buffer | null {
  try {
    const key = Buffer.from(unseal(sealedKey, sealingKey, grantId), 'base64')
    return key.length === keyBytes ? key : null
  } catch {
    return null
  }
}
