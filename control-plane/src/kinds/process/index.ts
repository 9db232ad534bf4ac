export { deleteProcess, restartProcess, startProcess, stopProcess } from './commands/change.ts'
export { createProcess, type NewProcess } from './commands/create.ts'
export { stopExecution } from './commands/stop-execution.ts'
export { tellProcess } from './commands/tell.ts'
export { updateProcess } from './commands/update.ts'
export { upsertProcesses } from './commands/upsert.ts'
export type { Execution, ExecutionPhase } from './executions/execution.ts'
export {
  type ExecutionSearch,
  executionIdOf,
  getExecution,
  lastExecution,
  searchExecutions,
} from './executions/queries.ts'
export { type JournalPlace, readJournal } from './journal.ts'
export { KeptProcesses, type NewKeptProcess } from './kept/kept-processes.ts'
export { readProcessLogById } from './log/read.ts'
export { lockPlace } from './place.ts'
export {
  beginPrebuildTasks,
  endServices,
  hasPrebuildTasks,
  lookAtPrebuildTasks,
  type PrebuildTasks,
  readAllowedFailures,
  readPrebuildTasks,
} from './prebuild-tasks.ts'
export { processes, processQueries, readProcessesOf } from './queries.ts'
export { readRanTasks } from './ran-tasks.ts'
export { processRoutes } from './routes.ts'
export {
  emptyProcessStatus,
  type KeptBy,
  type ProcessRow,
  type StoredProcessSpec,
  toListedProcess,
  toProcess,
} from './table.ts'
export { endInWords as runEndInWords } from './work/report.ts'
