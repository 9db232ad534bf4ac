/** How often a statement must have been asked for before it is kept by PostgreSQL. */
const usesBeforeName = 2
/** Lists of values make a statement of each length; those that are longer are seldom asked for again. */
const mostParameters = 64
/** Each connection keeps what it has prepared until it ends. */
const mostNames = 300
const mostCounted = 2_000

/** Names for the statements that are worth preparing. */
export class StatementNames {
  private readonly names = new Map<string, string>()
  private readonly uses = new Map<string, number>()
  private generation = 0

  /** undefined for a statement that is not to be prepared. */
  of(text: string, parameters: number): string | undefined {
    if (parameters === 0 || parameters > mostParameters) return undefined
    const known = this.names.get(text)
    if (known !== undefined) return known
    if (this.names.size >= mostNames) return undefined
    const uses = (this.uses.get(text) ?? 0) + 1
    if (uses < usesBeforeName) {
      if (this.uses.size >= mostCounted) this.uses.clear()
      this.uses.set(text, uses)
      return undefined
    }
    this.uses.delete(text)
    const name = `hearth_${this.generation}_${this.names.size}`
    this.names.set(text, name)
    return name
  }

  /** Has all prepared anew, under other names: a newer version has changed the tables. */
  renew(): void {
    this.generation += 1
    this.names.clear()
  }
}
