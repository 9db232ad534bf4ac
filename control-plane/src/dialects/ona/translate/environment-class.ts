import type { MessageInitShape } from '@bufbuild/protobuf'
import type { EnvironmentClass } from '@hearth/contract'
import type { EnvironmentClassSchema } from '../generated/gitpod/v1/runner_configuration_pb.ts'

/** A class of Hearth is of no one runner, and always of use. Its size is its configuration. */
export function toOnaEnvironmentClass({
  metadata,
  spec,
}: EnvironmentClass): MessageInitShape<typeof EnvironmentClassSchema> {
  const { virtualCpus, memoryMebibytes, diskGibibytes, image } = spec
  return {
    id: metadata.id,
    displayName: metadata.name,
    description: `${virtualCpus} vCPU, ${memoryMebibytes} MiB of memory, ${diskGibibytes} GiB of disk, ${image}`,
    configuration: Object.entries({ virtualCpus, memoryMebibytes, diskGibibytes, image }).map(
      ([key, value]) => ({
        key,
        value: String(value),
      }),
    ),
    enabled: true,
  }
}
