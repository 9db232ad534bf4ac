import type {
  PipelineConfiguration,
  PipelineProgramText,
  PipelineRuntimeSettings,
  PipelineToolchain,
} from '@hearth/contract'
import type { DatabaseTransaction } from '../../../database/connection.ts'
import { type StoredFile, storeFiles } from '../../artifact/index.ts'
import { toolchainFolder } from './folder.ts'
import { tarOf } from './tar.ts'

/** A program that has been made ready to be brought into machines. */
export interface StoredProgram {
  toolchain: PipelineToolchain
  configuration: PipelineConfiguration
  archive: StoredFile
  /** How it is to be run: beside the archive, since what a build has left stays where it changes. */
  runtime: StoredFile
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
  runtime: PipelineRuntimeSettings,
): Promise<StoredProgram> {
  const holder = { id: pipeline.id, organizationId: pipeline.organization_id }
  const { toolchain, configuration } = text
  const contents = { archive: programArchive(text), runtime: Buffer.from(JSON.stringify(runtime)) }
  return { toolchain, configuration, ...(await storeFiles(tx, holder, contents)) }
}
