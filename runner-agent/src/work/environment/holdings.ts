import type { Guest } from '../../guest/guest.ts'
import type { GivenIdentity, Machine } from '../../host/machine.ts'
import type { Slot } from './slots.ts'
import type { WorkContext } from './work-context.ts'

/** What a worker holds between its steps, and gives back: a slot to boot in, and a connection to its guest. */
export class Holdings {
  private bootSlot: Slot | null = null
  private guest: Guest | null = null

  constructor(private readonly context: Pick<WorkContext, 'bootSlots' | 'openGuest'>) {}

  get hasGuest(): boolean {
    return this.guest !== null
  }

  async takeBootSlot(signal: AbortSignal): Promise<void> {
    this.bootSlot ??= await this.context.bootSlots.take(signal)
  }

  releaseBootSlot(): void {
    this.bootSlot?.release()
    this.bootSlot = null
  }

  openGuest({ environmentId, address, identity }: Machine): { guest: Guest; given: GivenIdentity } {
    if (address === null || identity === null) {
      throw new Error('the machine’s folder does not say how to reach it')
    }
    this.guest ??= this.context.openGuest({ environmentId, address, identity })
    return { guest: this.guest, given: identity }
  }

  letGo(): void {
    this.releaseBootSlot()
    this.guest?.close()
    this.guest = null
  }
}
