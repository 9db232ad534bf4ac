import { callLimits } from '@hearth/contract'
import { z } from 'zod'
import { WriteMode } from '../generated/supervisor/v1/environmentopts_pb.ts'

const path = z.string().min(1).max(callLimits.pathBytes)
const count = z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER))

export const opsRules: Readonly<Record<string, z.ZodType>> = {
  'supervisor.v1.ExecRequest': z.looseObject({
    operationId: z.string().max(255),
    command: z.string().min(1).max(callLimits.commandBytes),
    workingDirectory: z.string().max(callLimits.pathBytes),
    timeoutSeconds: z.number().min(0).max(callLimits.longestSeconds),
  }),
  'supervisor.v1.ReadFileRequest': z.looseObject({ path, offset: count, length: count }),
  'supervisor.v1.WriteFileRequest': z.looseObject({ path, mode: z.enum(WriteMode) }),
  'supervisor.v1.GetGitDiffRequest': z.looseObject({
    path,
    unified: z.number().min(0).max(10_000),
    baseRef: z.string().max(255),
  }),
}
