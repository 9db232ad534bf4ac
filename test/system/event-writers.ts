import type { HearthClient } from '@hearth/client'

export interface Writers {
  /** Number of changes answered so far. */
  written(): number
  /** Resolves when this many more changes have been written. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/** Changes a few projects in parallel until it is stopped; some changes are concurrent changes of one project. */
export async function startWriters(
  client: HearthClient,
  { prefix, projects = 3, writers = 4 }: { prefix: string; projects?: number; writers?: number },
): Promise<Writers> {
  const names = Array.from({ length: projects }, (_, index) => `${prefix}-${index}`)
  for (const name of names) await client.projects.create({ name, labels: {}, spec: {} })
  let written = 0
  let stopped = false
  const waiting = new Set<() => void>()
  const write = async (writer: number) => {
    for (let round = 0; !stopped; round += 1) {
      const name = names[(writer + round) % names.length] ?? ''
      await client.projects.update(name, { labels: { round: `${writer}.${round}` } })
      written += 1
      for (const look of waiting) look()
    }
  }
  const running = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return {
    written: () => written,
    async more(count) {
      const wanted = written + count
      await Promise.race([
        running,
        new Promise<void>((resolve) => {
          const look = () => {
            if (written < wanted) return
            waiting.delete(look)
            resolve()
          }
          waiting.add(look)
        }),
      ])
    },
    async stop() {
      stopped = true
      await running
    },
  }
}
