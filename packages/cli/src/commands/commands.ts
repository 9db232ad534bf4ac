import type { Command } from 'commander'
import type { Invocation } from '../invocation.ts'
import { appCommand } from './app.ts'
import { applyCommand } from './apply.ts'
import { checkpointCommand } from './checkpoint.ts'
import { ciCommand } from './ci.ts'
import { claimCommand } from './claim.ts'
import { completionCommand } from './completion.ts'
import { deleteCommand } from './delete.ts'
import { describeCommand } from './describe.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { domainCommand } from './domain.ts'
import { execCommand } from './exec.ts'
import { exposeCommand } from './expose.ts'
import { extendCommand } from './extend.ts'
import { forkCommand } from './fork.ts'
import { getCommand } from './get.ts'
import { imageCommand } from './image.ts'
import { logsCommand } from './logs.ts'
import { observerCommand } from './observer.ts'
import { openCommand } from './open.ts'
import { pipelineCommand } from './pipeline.ts'
import { poolCommand } from './pool.ts'
import { prebuildCommand } from './prebuild.ts'
import { restartCommand, servicesCommand, startCommand, stopCommand, tasksCommand } from './processes.ts'
import { quickstartCommand } from './quickstart.ts'
import { quotaCommand } from './quota.ts'
import { restoreCommand } from './restore.ts'
import { retryCommand } from './retry.ts'
import { runCommand } from './run.ts'
import { runnerCommand } from './runner.ts'
import { secretCommand } from './secret.ts'
import { sessionCommand } from './session.ts'
import { snapshotCommand } from './snapshot.ts'
import { sshCommand } from './ssh.ts'
import { resumeCommand, suspendCommand } from './suspend.ts'
import { tokenCommand } from './token.ts'
import { upCommand } from './up.ts'
import { volumeCommand } from './volume.ts'
import { watchCommand } from './watch.ts'
import { whyCommand } from './why.ts'

/** Commands in the order of the help: those that run Hearth, declare, use and look. */
export const commandGroups: readonly {
  title: string
  commands: readonly ((invocation: Invocation) => Command)[]
}[] = [
  { title: 'Run Hearth:', commands: [quickstartCommand, devCommand, doctorCommand] },
  {
    title: 'Declare:',
    commands: [upCommand, applyCommand, poolCommand, prebuildCommand, deleteCommand, retryCommand],
  },
  {
    title: 'Run in machines:',
    commands: [
      ciCommand,
      runCommand,
      tasksCommand,
      servicesCommand,
      startCommand,
      stopCommand,
      restartCommand,
    ],
  },
  {
    title: 'Deploy apps and programs:',
    commands: [appCommand, pipelineCommand],
  },
  {
    title: 'Use machines:',
    commands: [
      claimCommand,
      sshCommand,
      execCommand,
      checkpointCommand,
      restoreCommand,
      forkCommand,
      suspendCommand,
      resumeCommand,
      extendCommand,
      exposeCommand,
      domainCommand,
      openCommand,
      secretCommand,
      snapshotCommand,
      volumeCommand,
    ],
  },
  {
    title: 'Look:',
    commands: [getCommand, describeCommand, whyCommand, watchCommand, logsCommand, sessionCommand],
  },
  {
    title: 'Operate:',
    commands: [runnerCommand, imageCommand, tokenCommand, quotaCommand, observerCommand, completionCommand],
  },
]
