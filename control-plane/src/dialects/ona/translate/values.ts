import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { Principal, type SubjectSchema } from '../generated/gitpod/v1/identity_pb.ts'

/** Of a time in ISO 8601; undefined, which is left out of a message, for none. */
export function timestampOf(time: string | null | undefined): Timestamp | undefined {
  return time == null ? undefined : timestampFromDate(new Date(time))
}

/** Whoever acts in Hearth acts as a user. */
export function subjectOf(id: string | null): MessageInitShape<typeof SubjectSchema> | undefined {
  return id === null ? undefined : { id, principal: Principal.USER }
}

export const durationOf = (seconds: number) => ({ seconds: BigInt(seconds), nanos: 0 })
