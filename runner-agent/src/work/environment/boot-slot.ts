import type { Slot, Slots } from './slots.ts'

/** The slot that a machine is created and booted in, while it holds one. */
export class BootSlot {
  private held: Slot | null = null

  constructor(private readonly slots: Slots) {}

  /** Waits for one unless it is held; rejects when the signal aborts first. */
  async take(signal: AbortSignal): Promise<void> {
    this.held ??= await this.slots.take(signal)
  }

  release(): void {
    this.held?.release()
    this.held = null
  }
}
