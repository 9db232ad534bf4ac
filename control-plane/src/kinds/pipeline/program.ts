import { createHash } from 'node:crypto'
import {
  commandToolchainSchema,
  type PipelineProgramSummary,
  type PipelineProgramText,
} from '@hearth/contract'
import { assertNever, canonicalJson } from '@hearth/foundation'
import { z } from '@hono/zod-openapi'
import { validate } from '../../api/validation.ts'

/** What is kept beside the texts of a program: programs are the same when their digests are. */
export function summaryOf(program: PipelineProgramText): PipelineProgramSummary {
  const { toolchain, code, configuration } = program
  return {
    toolchain,
    codeBytes: Buffer.byteLength(code),
    digest: createHash('sha256').update(canonicalJson(program)).digest('hex'),
    configuration,
  }
}

const inBody = (configuration: z.ZodType) =>
  z.object({ spec: z.object({ program: z.object({ configuration }) }) })

/** Refuses a program whose configuration its toolchain would not take. */
export function requireConfiguration({ toolchain, configuration }: PipelineProgramText): void {
  switch (toolchain) {
    case 'command':
      validate(inBody(commandToolchainSchema), { spec: { program: { configuration } } }, 'body')
      return
    case 'sql':
      return
    default:
      assertNever(toolchain)
  }
}
