export { messagesOf } from './messages.ts'
export { programArchive, type StoredProgram, storeProgram } from './program.ts'
export { unusableExitCode } from './script.ts'
export {
  pipelineJournal,
  pipelineVolumeFolder,
  type Toolchain,
  type ToolchainProcess,
  toolchainOf,
} from './toolchain.ts'
