import { type Claim, type LifeStatus, startOfText } from '@hearth/contract'
import { type ClaimRow, toClaim } from './table.ts'

/** The most bytes that lists and events show of one variable, or of the start command. */
const mostTextBytes = 1024
/** The same limit for all of them together. */
const mostTextBytesTogether = 16 * 1024

/** A claim for lists and events, which repeat it often: of what it asked to be bound, only the start of long texts. */
export function toListedClaim(row: ClaimRow, life: LifeStatus | null): Claim {
  const claim = toClaim(row, null, life)
  const { variables, startCommand } = claim.spec
  let left = mostTextBytesTogether
  const cut = (text: string) => {
    const shown = startOfText(text, Math.min(mostTextBytes, left))
    left -= Buffer.byteLength(shown)
    return shown
  }
  const shown = {
    startCommand: startCommand === null ? null : cut(startCommand),
    variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, cut(value)])),
  }
  return { ...claim, spec: { ...claim.spec, ...shown } }
}
