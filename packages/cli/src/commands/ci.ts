import { dirname, resolve } from 'node:path'
import { projectDeclarationSchema } from '@hearth/contract'
import { Command } from 'commander'
import { readProjectFile } from '../apply/project-file.ts'
import { bringCommit } from '../ci/bring.ts'
import { claimMachine, type TakenMachine, useMachine } from '../ci/ci-machine.ts'
import { CiSession } from '../ci/ci-session.ts'
import { callersCommit } from '../ci/commit.ts'
import { finishCi, type ReportOptions } from '../ci/finish.ts'
import { declaredInMachine } from '../ci/in-machine.ts'
import { Machine } from '../ci/machine.ts'
import { planTasks } from '../ci/plan.ts'
import { folderInGuest } from '../ci/repository-folder.ts'
import { beginPlan } from '../ci/run-plan.ts'
import type { Invocation } from '../invocation.ts'
import { attachCommand } from './ci-attach.ts'
import { span } from './life-options.ts'
import { badInput, examples, viewOf } from './options.ts'

interface CiOptions extends ReportOptions {
  file: string
  claim?: string
  class?: string
  project?: string
  repository?: string
  dirty?: boolean
  keep?: boolean
  detach?: boolean
  timeout: number
}

const defaultSeconds = 7_200

export function ciCommand(invocation: Invocation): Command {
  return new Command('ci')
    .summary('run tasks of a project file on a machine, with the commit that is checked out here')
    .argument('[task...]', 'by default all that no other depends on')
    .option('-f, --file <path>', 'the project file', 'hearth.yaml')
    .option('--project <name>', 'whose pool it is; by default the one that the file names')
    .option('--class <name>', 'which pool, where the project has several')
    .option('--claim <claim-or-environment>', 'use a machine that is there, and leave it')
    .option(
      '--repository <name>',
      'which repository of the machine this is; by default the one with the same address',
    )
    .option('--dirty', 'bring changes that are in no commit, too')
    .option('--keep', 'do not give the machine back; it ends at the time limit')
    .option('-d, --detach', 'end as soon as the tasks are started; `hearth ci attach` goes on with them')
    .option('--timeout <span>', 'how long all of it may take, as in 90m', span, defaultSeconds)
    .option('--artifacts <folder>', 'where what tasks declare in `artifacts` is copied to', 'artifacts')
    .option('--junit <file>', 'write the results as JUnit has them')
    .option(
      '--summary <file>',
      'add the results in Markdown; by default to GITHUB_STEP_SUMMARY where that is set',
    )
    .addHelpText(
      'after',
      examples(
        'hearth ci',
        'hearth ci test lint --dirty',
        'hearth ci test --claim claim-0b8a11 --junit results.xml',
      ),
    )
    .addCommand(attachCommand(invocation))
    .action((tasks: string[], options: CiOptions) => runCi(invocation, tasks, options))
}

async function runCi(invocation: Invocation, names: readonly string[], options: CiOptions): Promise<void> {
  if (options.file === '-') throw badInput('--file', '-', 'a file: the commit is that of its folder')
  const view = viewOf(invocation)
  const { signal, config, clock } = invocation
  const { variables } = config
  const file = projectDeclarationSchema.parse(readProjectFile(options.file))
  // What cannot be run is said before a machine is taken.
  planTasks(names, file, file, { commit: '', usual: '' })
  const local = { folder: dirname(resolve(options.file)), variables, signal }
  const commit = await callersCommit({ ...local, isDirtyWanted: options.dirty === true })
  const project = options.project ?? file.name
  using session = await CiSession.open(
    view,
    { file: resolve(options.file), project, timeoutSeconds: options.timeout },
    () => clock.now(),
  )
  const note = (text: string) => invocation.terminal.note(text)
  note(`session ${session.session.metadata.name}`)
  const taken = await session.step('machine', () =>
    options.claim === undefined
      ? claimMachine(invocation, view, {
          ...{ project, environmentClass: options.class, lifetimeSeconds: options.timeout },
        })
      : useMachine(invocation, view, options.claim),
  )
  let isLeft = options.keep === true
  try {
    note(`machine ${taken.name}`)
    const { plan } = taken.environment.spec
    const folder =
      options.repository === undefined
        ? folderInGuest(commit, plan?.repositories ?? [])
        : `/home/${options.repository}`
    const machine = new Machine(invocation, taken.accessId)
    await session.step('commit', () => bringCommit(machine, commit, folder, local))
    note(
      `commit ${commit.commit.slice(0, 12)}${commit.isDirty ? ' with what is in no commit' : ''} in ${folder}`,
    )
    const usual = plan?.repositories[0] === undefined ? '/home' : `/home/${plan.repositories[0].name}`
    const inMachine = await declaredInMachine(view, taken.environment, usual)
    const planned = planTasks(names, file, inMachine, { commit: folder, usual })
    const environmentId = taken.environment.metadata.id
    const begun = await session.step('tasks', async () => {
      const started = await beginPlan(view, taken.place, environmentId, planned)
      await session.isAbout(environmentId)
      return started
    })
    if (options.detach === true) {
      isLeft = true
      await session.leave()
      invocation.terminal.out(session.session.metadata.name)
      return
    }
    await finishCi(invocation, view, { machine, folder, begun, planned, options })
  } finally {
    if (!isLeft) await giveBack(invocation, taken)
    if (options.detach !== true) await session.end()
  }
}

async function giveBack({ terminal }: Invocation, { name, giveBack: release }: TakenMachine): Promise<void> {
  await release().catch((error: unknown) =>
    terminal.note(
      `the machine ${name} was not given back, and ends at its time limit: ${error instanceof Error ? error.message : String(error)}`,
    ),
  )
}
