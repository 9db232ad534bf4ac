import { Socket } from 'node:net'
import pg from 'pg'

/**
 * PostgreSQL connections that close when a query is not answered in time. The network may drop packets silently, and
 * the kernel gives up only after a quarter of an hour.
 */
export function boundedClient(answerMilliseconds: number): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      const socket = new Socket()
      super({ ...(typeof config === 'string' ? { connectionString: config } : config), stream: () => socket })
      const query = this.query.bind(this) as (...parameters: unknown[]) => unknown
      const bounded = (...parameters: unknown[]) => {
        const answer = query(...parameters)
        if (!(answer instanceof Promise)) return answer
        const timer = setTimeout(
          () => socket.destroy(new Error('Connection terminated: no answer in time')),
          answerMilliseconds,
        )
        const answered = () => clearTimeout(timer)
        answer.then(answered, answered)
        return answer
      }
      this.query = bounded as pg.Client['query']
    }
  }
}
