import type { FailureCode } from '@hearth/contract'

/** The host refused or cannot do it. The message is one sentence for a person. */
export class HostError extends Error {
  override readonly name = 'HostError'

  constructor(
    readonly code: Extract<
      FailureCode,
      | 'host_refused'
      | 'image_missing'
      | 'deadline_passed'
      | 'layer_damaged'
      | 'layer_unfit'
      | 'memory_unusable'
      | 'disk_full'
      | 'volume_missing'
      | 'volume_busy'
    >,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
