import { resolve } from 'node:path'
import { type PipelineRun, startPipelineRun } from './pipeline-run.ts'

export const sqlToolchain = resolve(import.meta.dirname, '../../deploy/toolchains/sql')

/** The toolchain `sql` as its service runs it, with a folder in the place of the volume. */
export const startSqlPipeline = (
  folder: string,
  code: string,
  wish: Readonly<Record<string, unknown>>,
): Promise<PipelineRun> => startPipelineRun(folder, { toolchain: 'sql', code, configuration: {} }, wish)
