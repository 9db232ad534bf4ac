import type { Guest, OpenGuest } from '../../guest/guest.ts'
import type { GivenIdentity, Machine } from '../../host/machine.ts'

/** The connection to a machine's guest, kept from step to step. */
export class GuestConnection {
  private guest: Guest | null = null

  constructor(private readonly openGuest: OpenGuest) {}

  get isOpen(): boolean {
    return this.guest !== null
  }

  open({ environmentId, address, identity }: Machine): { guest: Guest; given: GivenIdentity } {
    if (address === null || identity === null) {
      throw new Error('the machine’s folder does not say how to reach it')
    }
    this.guest ??= this.openGuest({ environmentId, address, identity })
    return { guest: this.guest, given: identity }
  }

  close(): void {
    this.guest?.close()
    this.guest = null
  }
}
