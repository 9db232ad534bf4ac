export { deleteProcess, restartProcess, startProcess, stopProcess } from './commands/change.ts'
export { createProcess, type NewProcess } from './commands/create.ts'
export { readProcessLogById } from './log/read.ts'
export { lockPlace } from './place.ts'
export {
  beginPrebuildTasks,
  endServices,
  lookAtPrebuildTasks,
  type PrebuildTasks,
  readPrebuildTasks,
} from './prebuild-tasks.ts'
export { processes, readProcessesOf } from './queries.ts'
export { readRanTasks } from './ran-tasks.ts'
export { processRoutes } from './routes.ts'
export { type ProcessRow, toListedProcess, toProcess } from './table.ts'
