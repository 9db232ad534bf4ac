/** What was started, undone in reverse order; each once, also when one fails. */
export class UndoList {
  readonly #steps: { name: string; undo: () => Promise<void> | void }[] = []

  add(name: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ name, undo })
  }

  /** Undoes everything; tells of each failure and goes on. */
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
