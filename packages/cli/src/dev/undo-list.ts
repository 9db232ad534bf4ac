/** A list of undo functions, run in reverse order; each runs once, even when another one fails. */
export class UndoList {
  readonly #steps: { name: string; undo: () => Promise<void> | void }[] = []

  add(name: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ name, undo })
  }

  /** Undoes everything; reports each failure and continues. */
  async run(failed: (name: string, error: unknown) => void): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (error) {
        failed(step.name, error)
      }
    }
  }
}
