/** Kubernetes' time with six digits after the second. */
export function microTime(time: string): string {
  const [, whole = time, digits = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? []
  return `${whole}.${digits.slice(0, 6).padEnd(6, '0')}Z`
}

/** The time without what is below a second. */
export function secondTime(time: string): string {
  return time.replace(/(?:\.\d+)?Z$/, 'Z')
}
