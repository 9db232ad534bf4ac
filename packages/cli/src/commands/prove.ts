import { toError } from '@hearth/foundation'
import { UndoList } from '../dev/undo-list.ts'
import { prepareGround } from '../doctor/prove/ground.ts'
import type { ClockError } from '../doctor/prove/inside.ts'
import { type Proof, prove } from '../doctor/prove/prove.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { client, type Invocation, stateFolder } from '../invocation.ts'
import { formatDuration } from '../output/duration.ts'
import { type Format, show } from '../output/format.ts'
import type { Table } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { keyPair } from '../ssh/key-pair.ts'

/** Proves on a runner that its machines can be snapshotted, forked and put back; leaves nothing behind. */
export async function proveRunner(
  invocation: Invocation,
  { runner, output }: { runner: string | undefined; output: Format },
): Promise<void> {
  const { terminal, signal } = invocation
  const { variables } = invocation.config
  const hearth = client(invocation)
  const folder = stateFolder(invocation)
  const undo = new UndoList()
  const proofs: Proof[] = []
  const left: string[] = []
  try {
    const pair = await keyPair(folder, variables)
    const ground = await prepareGround(hearth, runner, undo, signal)
    const { name } = ground.runner.metadata
    const kind = ground.runner.status.facts?.virtualization
    terminal.note(`on runner ${name} (${kind}), in project ${ground.name}, which is removed afterwards`)
    if (ground.isSynthetic) terminal.note('its machines are pretended: nothing is run in them')
    const entrance = { stateFolder: folder, variables, signal, clock: invocation.clock }
    await prove({ client: hearth, terminal, ground, pair, entrance }, (proof) => proofs.push(proof))
  } finally {
    terminal.note('removing everything again')
    await undo.run((name, error) => left.push(`${name}: ${toError(error).message}`))
    for (const failure of left) terminal.note(`not removed: ${failure}`)
    if (proofs.length > 0) show(terminal, output, proofs, () => proofTable(proofs, terminal))
  }
  const faulty = proofs.filter(({ faults }) => faults.length > 0).length
  if (faulty > 0)
    throw new CommandError(`${faulty} of ${proofs.length} are not as they should be`, exitCodes.failure)
  if (left.length > 0) throw new CommandError('not everything could be removed', exitCodes.failure)
}

/** As `+3 ±1 ms`. */
function clockText({ milliseconds, uncertainty }: ClockError): string {
  return `${milliseconds >= 0 ? '+' : ''}${milliseconds} ±${uncertainty} ms`
}

function proofTable(proofs: readonly Proof[], terminal: Terminal): Table {
  return {
    columns: ['STEP', 'TIME', 'CLOCK', 'FOUND'],
    rows: proofs.map(({ step, milliseconds, clock, faults, note }) => [
      step,
      formatDuration(milliseconds),
      clock === null ? '-' : clockText(clock),
      faults.length > 0
        ? terminal.tone('bad', faults.join('; '))
        : `${terminal.tone('good', 'as it should be')}${note === '' ? '' : `; ${note}`}`,
    ]),
  }
}
