import { type Failure, processLimits } from '@hearth/contract'
import { HearthError } from '@hearth/foundation'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { wake } from '../../../reconciling/wake.ts'
import { recordEvent } from '../../../resource/record.ts'
import type { EnvironmentRow } from '../../environment/index.ts'
import { insertProcess, makeRoom } from '../commands/create.ts'
import { startTogether } from '../commands/settle-now.ts'
import { tellProcess } from '../commands/tell.ts'
import { activePhases } from '../decide.ts'
import { lockProcessesOf, processes } from '../queries.ts'
import { settleProcesses } from '../reconcile.ts'
import { type KeptBy, type ProcessRow, type StoredProcessSpec, toListedProcess } from '../table.ts'

export interface NewKeptProcess {
  name: string
  spec: StoredProcessSpec & { keptBy: KeptBy }
  creator: string | null
}

/**
 * What other resources keep in an environment, whose row must have been read under lock: made, started, ended and forgotten
 * by these alone. What follows from that for its runner is done by `settle`.
 */
export class KeptProcesses {
  private hasChanged = false

  private constructor(
    private readonly tx: DatabaseTransaction,
    private readonly environment: EnvironmentRow,
    private rows: readonly ProcessRow[],
    private readonly now: Date,
  ) {}

  static async lock(tx: DatabaseTransaction, environment: EnvironmentRow, now: Date): Promise<KeptProcesses> {
    return new KeptProcesses(tx, environment, await lockProcessesOf(tx, environment.id), now)
  }

  /** Those that are kept by one. */
  of(keeperId: string): readonly ProcessRow[] {
    return this.rows.filter(({ spec }) => spec.keptBy?.id === keeperId)
  }

  all(): readonly ProcessRow[] {
    return this.rows.filter(({ spec }) => spec.keptBy !== undefined)
  }

  /** Makes all of them or none, and has them started; returns why they cannot be made, or null. */
  async make(wanted: readonly NewKeptProcess[]): Promise<Failure | null> {
    const refusal = this.refusalOf(wanted)
    if (refusal !== null) return refusal
    for (const { name, spec, creator } of wanted) {
      const room = await this.room()
      if (room !== null) return room
      const row = await insertProcess(
        this.tx,
        this.environment,
        { name, labels: {}, spec, creator },
        this.now,
      )
      this.rows = await startTogether(this.tx, [...this.rows, row], [row], this.now)
    }
    this.hasChanged = true
    return null
  }

  async start(row: ProcessRow): Promise<void> {
    if (row.desired === 'run' && activePhases.has(row.phase)) return
    this.rows = await startTogether(this.tx, this.rows, [row], this.now)
    this.hasChanged = true
  }

  /** Ends its run; it is there to be started again. */
  async end(row: ProcessRow): Promise<void> {
    if (row.desired === 'run') await this.desire(row, 'stop')
  }

  /** Ends its run, and forgets it. */
  async remove(row: ProcessRow): Promise<void> {
    if (row.desired !== 'delete') await this.desire(row, 'delete')
  }

  /** Wishes something of it, also while it runs, which goes on. */
  async tell(row: ProcessRow, wish: string): Promise<void> {
    const told = await tellProcess(this.tx, row, wish)
    this.rows = this.rows.map((one) => (one.id === row.id ? told : one))
  }

  /** Orders of the runner what follows from all that was done. */
  async settle(): Promise<void> {
    if (!this.hasChanged) return
    this.rows = await settleProcesses(this.tx, this.environment, this.rows, this.now)
    await wake(this.tx, 'process', this.environment.id)
    this.hasChanged = false
  }

  private async desire(row: ProcessRow, desired: 'stop' | 'delete'): Promise<void> {
    const changed = await processes.changeSpec(this.tx, row.id, {
      desired,
      status: { ...row.status, isQueued: false },
    })
    await recordEvent(this.tx, 'updated', toListedProcess(changed))
    this.rows = this.rows.map((one) => (one.id === row.id ? changed : one))
    this.hasChanged = true
  }

  private refusalOf(wanted: readonly NewKeptProcess[]): Failure | null {
    for (const { name, spec } of wanted) {
      if (this.rows.some((row) => row.name === name))
        return refused(
          `environment ${this.environment.name} has a task or service ${name} already: delete it`,
        )
      const bytes = Buffer.byteLength(spec.command)
      if (bytes > processLimits.commandBytes)
        return refused(
          `the command of ${name} has ${bytes} bytes with all its variables: at most ${processLimits.commandBytes} are possible`,
        )
    }
    return null
  }

  private async room(): Promise<Failure | null> {
    try {
      this.rows = await makeRoom(this.tx, this.environment, this.rows)
      return null
    } catch (thrown) {
      // It is refused before anything is written.
      if (thrown instanceof HearthError) return refused(thrown.message)
      throw thrown
    }
  }
}

const refused = (message: string): Failure => ({ code: 'cancelled', message })
