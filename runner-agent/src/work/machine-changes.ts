type Listener = (environmentId: string) => void

/** Tells other kinds of work that a machine was started, ended or suspended, by itself or by the agent. */
export class MachineChanges {
  private readonly listeners = new Set<Listener>()

  /** Returns a function that ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  tell(environmentId: string): void {
    for (const listener of this.listeners) listener(environmentId)
  }
}
