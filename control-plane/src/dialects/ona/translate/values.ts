import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { invalidValue } from '@hearth/foundation'
import { Principal, type SubjectSchema } from '../generated/gitpod/v1/identity_pb.ts'

/** Of a time in ISO 8601; undefined, which is left out of a message, for none. */
export function timestampOf(time: string | null | undefined): Timestamp | undefined {
  return time == null ? undefined : timestampFromDate(new Date(time))
}

/** The years that a timestamp may be of, as the text of one has them. */
const [firstSecond, lastSecond] = [-62_135_596_800n, 253_402_300_799n]

/** Of a timestamp that was sent, which in binary may be any number. Throws `invalid` for no time at all. */
export function timeOf(timestamp: Timestamp | undefined, field: string): Date | undefined {
  if (timestamp === undefined) return undefined
  const { seconds, nanos } = timestamp
  if (seconds >= firstSecond && seconds <= lastSecond && nanos >= 0 && nanos < 1_000_000_000)
    return timestampDate(timestamp)
  throw invalidValue({ field, given: `${seconds} s`, expected: 'a time from the year 1 to 9999' })
}

/** Whoever acts in Hearth acts as a user. */
export function subjectOf(id: string | null): MessageInitShape<typeof SubjectSchema> | undefined {
  return id === null ? undefined : { id, principal: Principal.USER }
}

export const durationOf = (seconds: number) => ({ seconds: BigInt(seconds), nanos: 0 })
