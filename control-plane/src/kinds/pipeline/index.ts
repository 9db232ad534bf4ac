export { changePipeline } from './commands/change.ts'
export { createPipeline } from './commands/create.ts'
export { deletePipeline } from './commands/delete.ts'
export {
  activatePipeline,
  approvePipeline,
  clearPipeline,
  dismissPipelineError,
  pausePipeline,
  type RequestOutcome,
  resumePipeline,
  startPipeline,
  stopPipeline,
} from './commands/request.ts'
export { readPipelineLog } from './log/read.ts'
export { findPipelineNamed, pipelines, readPipelineEvents, readProgramTexts } from './queries.ts'
export {
  type PipelineRow,
  type PipelineTextRow,
  toPipeline,
  toPipelineEvent,
  toProgramText,
} from './table.ts'
export {
  answerFormatSchema,
  relationSchema,
  rowFormatSchema,
  rowTypes,
  sqlSchema,
  updateFormatSchema,
} from './traffic/requests.ts'
export { askPipeline, streamPipeline } from './traffic/traffic.ts'
export { desiredPhaseOf } from './write.ts'
