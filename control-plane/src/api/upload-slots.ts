import { artifactLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { Caller } from './caller.ts'

const retryAfterSeconds = 5

/** The uploads that this control plane takes in at the moment: each needs memory and connections to the database. */
export class UploadSlots {
  private readonly counts = new Map<string, number>()
  private total = 0

  constructor(private readonly limits: { uploads: number; uploadsOfOrganization: number } = artifactLimits) {}

  /** Throws `rate_limited` when there are too many already. What it returns must be disposed of. */
  open({ organizationId }: Pick<Caller, 'organizationId'>): Disposable {
    const { uploads, uploadsOfOrganization } = this.limits
    const own = this.counts.get(organizationId) ?? 0
    if (own >= uploadsOfOrganization) throw busy('your organization sends', own)
    if (this.total >= uploads) throw busy('this control plane takes in', this.total)
    this.counts.set(organizationId, own + 1)
    this.total += 1
    let isOpen = true
    return {
      [Symbol.dispose]: () => {
        if (!isOpen) return
        isOpen = false
        this.total -= 1
        const left = (this.counts.get(organizationId) ?? 1) - 1
        if (left === 0) this.counts.delete(organizationId)
        else this.counts.set(organizationId, left)
      },
    }
  }
}

const busy = (who: string, count: number) =>
  new HearthError('rate_limited', `${who} ${count} files at the moment, which is the most: try again soon`, {
    facts: { quota: 'uploads', limit: count, use: count, retryAfterSeconds },
  })
