import { setTimeout as delay } from 'node:timers/promises'

/**
 * A process of its own, so that the fuzzer does not delay the measurement: requests its projects from `URL` with
 * `TOKEN` ten times a second until its standard input ends, and prints the median and the 95th percentile in
 * milliseconds.
 */
const [url = '', token = ''] = process.argv.slice(2)
const ended = new AbortController()
process.stdin.on('end', () => ended.abort()).resume()

const taken: number[] = []
while (!ended.signal.aborted) {
  const began = performance.now()
  const response = await fetch(`${url}/v1/projects`, { headers: { Authorization: `Bearer ${token}` } })
  await response.text()
  if (response.status === 200) taken.push(performance.now() - began)
  else taken.push(Number.POSITIVE_INFINITY)
  await delay(100, undefined, { signal: ended.signal }).catch(() => undefined)
}
taken.sort((one, other) => one - other)
const at = (part: number) => taken[Math.floor(taken.length * part)] ?? Number.POSITIVE_INFINITY
process.stdout.write(JSON.stringify({ median: at(0.5), late: at(0.95), count: taken.length }))
