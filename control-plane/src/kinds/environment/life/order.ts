import { createHash } from 'node:crypto'
import type { EnvironmentOrder } from '@hearth/contract'
import { spokenTime } from '@hearth/foundation'
import { endsOf } from './ends.ts'
import { lifeOf } from './status.ts'
import { spokenCause, spokenThen } from './words.ts'

type Row = Parameters<typeof lifeOf>[0] & { name: string; claim_name: string | null }

/** What a runner has to do for the machine's life; nothing of it stands in the orders of machines without an end. */
export function lifeOrder(row: Row): Pick<EnvironmentOrder, 'idleSeconds' | 'notice'> {
  const seen = lifeOf(row)
  if (seen.life === null || row.desired_phase !== 'running') return {}
  const { idleSeconds } = seen.life
  const announced = endsOf(seen, new Date(0)).find(({ announcedAt }) => announcedAt !== null)
  return {
    ...(idleSeconds === null ? {} : { idleSeconds }),
    ...(announced === undefined ? {} : { notice: noticeOf(row, announced) }),
  }
}

function noticeOf(
  row: Pick<Row, 'name' | 'claim_name'>,
  { cause, follows, due, spanSeconds, endsAt }: ReturnType<typeof endsOf>[number],
): NonNullable<EnvironmentOrder['notice']> {
  // Names are made of letters, digits and hyphens alone.
  const name = row.claim_name ?? row.name
  const key = createHash('sha256').update(`${cause} ${due.toISOString()}`).digest('hex').slice(0, 16)
  const kept =
    cause === 'idle'
      ? `An open session keeps it, and so does: hearth extend ${name}`
      : `To keep it longer: hearth extend ${name}`
  const because = cause === 'idle' ? spokenCause(cause, spanSeconds) : 'its lifetime is over then'
  return {
    key: `end-${key}`,
    text: `Hearth: ${name} is ${spokenThen(follows)} at ${spokenTime(endsAt)}, because ${because}. ${kept}`,
  }
}
