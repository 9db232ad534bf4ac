import { createHash } from 'node:crypto'
import type { PipelineConfiguration, PipelineProgramText, PipelineToolchain } from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type StoredFile, storeFile } from '../../artifact/index.ts'
import { toolchainFolder } from './folder.ts'
import { tarOf } from './tar.ts'

/** A program that has been made ready to be brought into machines. */
export interface StoredProgram {
  toolchain: PipelineToolchain
  configuration: PipelineConfiguration
  archive: StoredFile
}

/** What a machine is brought: the files of the toolchain, and what was written of the program. */
export function programArchive({
  toolchain,
  code,
  udfRust,
  udfToml,
  configuration,
}: PipelineProgramText): Buffer {
  const written = {
    code,
    'udf.rs': udfRust,
    'udf.toml': udfToml,
    'configuration.json': JSON.stringify(configuration),
  }
  return tarOf([
    ...toolchainFolder(toolchain).files.map(({ path, content }) => ({ path: `toolchain/${path}`, content })),
    ...Object.entries(written).map(([name, text]) => ({
      path: `program/${name}`,
      content: Buffer.from(text),
    })),
  ])
}

/** Stores it for as long as the pipeline needs it; what it needed before is let go. Done again it changes nothing. */
export async function storeProgram(
  tx: DatabaseTransaction,
  pipeline: { id: string; organization_id: string },
  text: PipelineProgramText,
): Promise<StoredProgram> {
  const content = programArchive(text)
  const digest = createHash('sha256').update(content).digest('hex')
  const holder = { id: pipeline.id, organizationId: pipeline.organization_id }
  const { toolchain, configuration } = text
  return { toolchain, configuration, archive: await storeFile(tx, holder, { content, digest }) }
}
