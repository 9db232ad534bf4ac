import { resolve } from 'node:path'
import { expect } from 'vitest'
import { type PipelineRun, startPipelineRun } from './pipeline-run.ts'

export const sqlToolchain = resolve(import.meta.dirname, '../../deploy/toolchains/sql')

/** The toolchain `sql` as its service runs it, with a folder in the place of the volume. */
export const startSqlPipeline = (
  folder: string,
  code: string,
  wish: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<PipelineRun> =>
  startPipelineRun(folder, { toolchain: 'sql', code, configuration: {} }, wish, variables)

export async function send(pipeline: PipelineRun, path: string, body: string | Buffer) {
  const answer = await fetch(`${pipeline.url}${path}`, { method: 'POST', body })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

export async function query(pipeline: PipelineRun, sql: string): Promise<unknown[]> {
  const answer = await fetch(`${pipeline.url}/query?format=json&sql=${encodeURIComponent(sql)}`)
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
