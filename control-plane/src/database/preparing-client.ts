import type pg from 'pg'
import { boundedClient } from './bounded-client.ts'
import { isStalePlan } from './sql-state.ts'
import { StatementNames } from './statement-names.ts'

/** Whose prepared statement begins a transaction. */
const beginName = 'hearth_begin'

/** What a client of `pg` has beside what its types say. */
interface Inside {
  connection: {
    parsedStatements: Readonly<Record<string, string>>
    stream: { cork(): void; uncork(): void }
    bind(message: { statement: string; portal: string }): void
    execute(message: { portal: string }): void
  }
  getTransactionStatus(): string | null
}

type Query = (...parameters: unknown[]) => unknown

/**
 * PostgreSQL connections that spare round trips and planning. A transaction begins with its first statement, in one
 * message that PostgreSQL carries out or refuses as a whole. Statements that come again are prepared. Those that do not
 * wait for each other are all sent at once; after one that fails PostgreSQL refuses the others of its transaction.
 */
export function preparingClient(answerMilliseconds: number): typeof pg.Client {
  const names = new StatementNames()
  return class extends boundedClient(answerMilliseconds) {
    constructor(config?: string | pg.ClientConfig) {
      const given = typeof config === 'string' ? { connectionString: config } : config
      super({ ...given, pipeline: true } as pg.ClientConfig)
      const query = this.query.bind(this) as Query
      this.query = preparing(this as unknown as Inside, query, names) as pg.Client['query']
    }
  }
}

function preparing(client: Inside, query: Query, names: StatementNames): Query {
  let begins = false
  /** A transaction's beginning that has not been answered; what comes meanwhile waits for it. */
  let beginning: Promise<unknown> | null = null
  const beginApart = () => {
    begins = false
    beginning = Promise.resolve(query({ name: beginName, text: 'begin' })).finally(() => {
      beginning = null
    })
    return beginning
  }
  const ask: Query = (...parameters) => {
    if (beginning !== null) return beginning.then(() => ask(...parameters))
    const [text, values] = parameters
    if (text === 'begin') {
      begins = true
      return Promise.resolve(nothing)
    }
    if (begins && (text === 'commit' || text === 'rollback')) {
      begins = false
      return Promise.resolve(nothing)
    }
    const isPrepared = typeof text === 'string' && Array.isArray(values) && values.length > 0
    if (begins && !(isPrepared && beginName in client.connection.parsedStatements))
      return beginApart().then(() => ask(...parameters))
    // A callback is not of Kysely.
    if (!isPrepared || parameters.length !== 2) return query(...parameters)
    const statement = () => ({ name: names.of(text, values.length), text, values })
    const isAlone = !begins && client.getTransactionStatus() === 'I'
    const answer = begins ? inOneMessage(client, () => query(statement())) : query(statement())
    begins = false
    return Promise.resolve(answer).then(lastOf, (error: unknown) => {
      if (!isStalePlan(error)) throw error
      names.renew()
      if (!isAlone) throw error
      return query(statement())
    })
  }
  return ask
}

const nothing = { command: '', rowCount: null, rows: [], fields: [] }

/** PostgreSQL skips to the end of a message after an error: where no transaction begins, nothing is carried out. */
function inOneMessage({ connection }: Inside, send: () => unknown): unknown {
  connection.stream.cork()
  try {
    connection.bind({ statement: beginName, portal: '' })
    connection.execute({ portal: '' })
    return send()
  } finally {
    connection.stream.uncork()
  }
}

/** Of a message that also began a transaction the answer to its statement. */
const lastOf = (answer: unknown) => (Array.isArray(answer) ? (answer.at(-1) as unknown) : answer)
