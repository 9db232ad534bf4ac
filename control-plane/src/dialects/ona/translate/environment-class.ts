import type { MessageInitShape } from '@bufbuild/protobuf'
import type { EnvironmentClass } from '@hearth/contract'
import { invalidValue } from '@hearth/foundation'
import type { EnvironmentClassSchema } from '../generated/gitpod/v1/runner_configuration_pb.ts'

/** Labels that keep what Hearth has no field for. */
export const classLabels = { name: 'ona/name', description: 'ona/description' } as const

/** A class of Hearth is of no one runner, and always of use. Its size is its configuration. */
export function toOnaEnvironmentClass({
  metadata,
  spec,
}: EnvironmentClass): MessageInitShape<typeof EnvironmentClassSchema> {
  const { virtualCpus, memoryMebibytes, diskGibibytes, image } = spec
  return {
    id: metadata.id,
    displayName: metadata.labels[classLabels.name] ?? metadata.name,
    description:
      metadata.labels[classLabels.description] ??
      `${virtualCpus} vCPU, ${memoryMebibytes} MiB of memory, ${diskGibibytes} GiB of disk, ${image}`,
    configuration: Object.entries({ virtualCpus, memoryMebibytes, diskGibibytes, image }).map(
      ([key, value]) => ({
        key,
        value: String(value),
      }),
    ),
    enabled: true,
  }
}

/** What is no number in decimal is none, which the rules of a size refuse. */
const wholeNumber = (text = '') => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN)

const numbers = ['virtualCpus', 'memoryMebibytes', 'diskGibibytes'] as const

/** A size in the words in which classes are shown. Throws `invalid` for another key. */
export function nativeSize(configuration: readonly { key: string; value: string }[]) {
  const known: readonly string[] = [...numbers, 'image']
  for (const { key } of configuration)
    if (!known.includes(key))
      throw invalidValue({ field: 'configuration[].key', given: key, expected: `one of ${known.join(', ')}` })
  const given = new Map(configuration.map(({ key, value }) => [key, value]))
  if (given.size < configuration.length)
    throw invalidValue({ field: 'configuration', given: 'one twice', expected: 'each key once' })
  const image = given.get('image')
  return {
    ...Object.fromEntries(numbers.map((key) => [key, wholeNumber(given.get(key))])),
    ...(image === undefined ? {} : { image }),
  }
}
