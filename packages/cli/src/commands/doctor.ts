import { Command } from 'commander'
import { holderOf } from '../dev/state-lock.ts'
import { examine } from '../doctor/checks.ts'
import type { Finding } from '../doctor/finding.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { findContext, type Invocation, stateFolder } from '../invocation.ts'
import { type Format, outputOption, show } from '../output/format.ts'
import type { Terminal, Tone } from '../output/terminal.ts'
import { examples } from './options.ts'
import { proveRunner } from './prove.ts'

export function doctorCommand(invocation: Invocation): Command {
  return new Command('doctor')
    .summary('look for what is wrong on this machine, and say what to do')
    .option('--layers', 'read every layer of a snapshot whole, also where its files look untouched')
    .option(
      '--prove',
      'boot, snapshot, fork and restore a throwaway machine instead, and show what each took',
    )
    .option('--runner <runner>', 'with --prove: where, if there are several')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'hearth doctor',
        'hearth doctor --prove --runner rack-7',
        'hearth doctor -o json | jq \'.[] | select(.level != "ok")\'',
      ),
    )
    .action(async ({ output, ...options }: DoctorOptions) => {
      if (options.prove === true) return await proveRunner(invocation, { runner: options.runner, output })
      const folder = stateFolder(invocation)
      const findings = await examine({
        stateFolder: folder,
        isRoot: invocation.config.isRoot,
        variables: invocation.config.variables,
        context: findContext(invocation),
        readsLayers: options.layers === true,
        runsHere: holderOf(folder) !== null,
        now: () => invocation.clock.now(),
      })
      show(invocation.terminal, output, findings, () => findingsText(findings, invocation.terminal))
      if (findings.some(({ level }) => level === 'problem')) throw new CommandError('', exitCodes.failure)
    })
}

interface DoctorOptions {
  layers?: boolean
  prove?: boolean
  runner?: string
  output: Format
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
