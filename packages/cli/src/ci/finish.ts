import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CommandError } from '../exit-codes.ts'
import type { Invocation } from '../invocation.ts'
import type { View } from '../kinds/kind.ts'
import { copyArtifacts } from './artifacts.ts'
import { GroupedOutput } from './grouped-output.ts'
import type { Machine } from './machine.ts'
import type { Plan } from './plan.ts'
import { junit, summary } from './reports.ts'
import { exitStatusOfAll, type TaskResult } from './result.ts'
import { type Begun, followPlan } from './run-plan.ts'

/** Where what came of it is written. */
export interface ReportOptions {
  artifacts: string
  junit?: string
  summary?: string
}

/** Follows the tasks to their end, copies what they made, writes the results, and ends as the first that failed. */
export async function finishCi(
  invocation: Invocation,
  view: View,
  {
    machine,
    folder,
    begun,
    planned,
    options,
  }: {
    machine: Machine
    folder: string
    begun: readonly Begun[]
    planned: Pick<Plan, 'all'>
    options: ReportOptions
  },
): Promise<void> {
  const { variables } = invocation.config
  const output = new GroupedOutput(invocation.terminal, variables.GITHUB_ACTIONS === 'true')
  const results = await followPlan(view, begun, output)
  for (const { kind, name, definition } of planned.all) {
    if (kind !== 'tasks' || definition.artifacts.length === 0) continue
    const from = { folder: definition.folder ?? folder, patterns: definition.artifacts }
    const into = join(options.artifacts, name)
    const count = await copyArtifacts(machine, from, into, { variables, signal: view.signal })
    invocation.terminal.note(`${count} artifact${count === 1 ? '' : 's'} of ${name} in ${into}`)
  }
  writeReports(results, options, variables)
  const status = exitStatusOfAll(results)
  if (status !== 0) throw new CommandError('', status)
}

function writeReports(
  results: readonly TaskResult[],
  options: ReportOptions,
  variables: Readonly<Record<string, string | undefined>>,
): void {
  if (options.junit !== undefined) {
    mkdirSync(dirname(resolve(options.junit)), { recursive: true })
    writeFileSync(options.junit, junit(results, 'hearth ci'))
  }
  const page = options.summary ?? variables.GITHUB_STEP_SUMMARY
  if (page !== undefined && page !== '') appendFileSync(page, summary(results, 'hearth ci'))
}
