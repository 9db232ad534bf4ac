import type { Slot, Slots } from './slots.ts'

/** Holds the slot in which a machine is created and booted. */
export class BootSlot {
  private held: Slot | null = null

  constructor(private readonly slots: Slots) {}

  /** Waits for a slot unless one is held; rejects when the signal aborts first. */
  async take(signal: AbortSignal): Promise<void> {
    this.held ??= await this.slots.take(signal)
  }

  release(): void {
    this.held?.release()
    this.held = null
  }
}
