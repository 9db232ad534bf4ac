import { Command } from 'commander'
import { holderOf } from '../dev/state-lock.ts'
import { examine } from '../doctor/checks.ts'
import type { Finding } from '../doctor/finding.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { findContext, type Invocation, stateFolder } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import type { Terminal, Tone } from '../output/terminal.ts'
import { examples } from './options.ts'

export function doctorCommand(invocation: Invocation): Command {
  return new Command('doctor')
    .summary('look for what is wrong on this machine, and say what to do')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('hearth doctor', 'hearth doctor -o json | jq \'.[] | select(.level != "ok")\''),
    )
    .action(async ({ output }: { output: Format }) => {
      const folder = stateFolder(invocation)
      const findings = await examine({
        stateFolder: folder,
        isRoot: invocation.config.isRoot,
        variables: invocation.config.variables,
        context: findContext(invocation),
        runsHere: holderOf(folder) !== null,
        now: () => invocation.clock.now(),
      })
      show(invocation.terminal, output, findings, () => findingsText(findings, invocation.terminal))
      if (findings.some(({ level }) => level === 'problem')) throw new CommandError('', exitCodes.failure)
    })
}

const tones: Readonly<Record<Finding['level'], Tone>> = { ok: 'good', warning: 'busy', problem: 'bad' }

function findingsText(findings: readonly Finding[], terminal: Terminal): string {
  return findings
    .map(({ check, level, message, remedy }) => {
      const line = `${terminal.tone(tones[level], level.padEnd(8))}${check}: ${message}`
      return remedy === undefined ? line : `${line}\n        ${terminal.tone('quiet', `do: ${remedy}`)}`
    })
    .join('\n')
}
