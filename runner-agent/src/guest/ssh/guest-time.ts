/** The end of the year 9999: not all programs can read a later date. */
const lastMilliseconds = 253_402_300_799_999

/** Milliseconds of bash's EPOCHREALTIME, which is seconds with a fraction after a point or a comma; null for anything else. */
export function guestMilliseconds(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,12}[.,]\d{1,6}$/.test(text)) return null
  const value = Math.round(Number(text.replace(',', '.')) * 1000)
  return value <= lastMilliseconds ? value : null
}
