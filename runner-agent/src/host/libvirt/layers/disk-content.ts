import { startOfText } from '@hearth/contract'
import { z } from 'zod'
import type { CommandRunner } from '../../command/command-runner.ts'
import { HostError } from '../../host-error.ts'
import type { LayerPart } from '../../layer.ts'

/** A piece of the answer of `qemu-img map --output=json`. `depth` 0 is the file itself, more is what it stands on. */
const piecesSchema = z.array(
  z.object({
    start: z.int().nonnegative(),
    length: z.int().positive(),
    depth: z.int().nonnegative(),
    data: z.boolean(),
    offset: z.int().nonnegative().optional(),
  }),
)

/** The parts of a qcow2 file that the guest sees, in the order of the guest's addresses. */
export async function diskContent(runner: CommandRunner, path: string): Promise<LayerPart[]> {
  const result = await runner.run(['qemu-img', 'map', '--force-share', '--output=json', '-f', 'qcow2', path])
  if (result.exitCode !== 0) {
    throw new HostError('host_refused', `the layer's disk cannot be read: ${result.stderr.trim()}`)
  }
  return partsOf(result.stdout)
}

export function partsOf(answer: string): LayerPart[] {
  const parts: LayerPart[] = []
  let end: number | null = null
  for (const { start, length, depth, data, offset } of parse(answer)) {
    if (depth > 0 || !data || offset === undefined) continue
    parts.push({ offset, length, isContinued: start === end })
    end = start + length
  }
  return parts
}

function parse(answer: string): z.infer<typeof piecesSchema> {
  try {
    return piecesSchema.parse(JSON.parse(answer))
  } catch {
    throw new HostError(
      'host_refused',
      `qemu-img does not say where a layer's content is: "${startOfText(answer, 200)}"`,
    )
  }
}
