import { visit } from './browser.ts'

/** Number of requests a second, as many people at once make them: each over a connection of its own. */
const usualRate = 20
/** People who wait for an answer ask no more: what is too slow for the rate is not buried under it. */
const mostAtOnce = 20

/** What came back of requests that were sent at an even pace, in the order in which they were sent; disposing sends no more. */
export interface SteadyVisits extends Disposable {
  /** Sends no more, and waits for all answers. */
  end(): Promise<Answer[]>
}
/** The status, or 0 where there was no answer; and the body, or what went wrong. */
export interface Answer {
  status: number
  body: string
}

export function visitSteadily(address: string, ca: string, rate = usualRate): SteadyVisits {
  const sent: Promise<Answer>[] = []
  let waiting = 0
  const send = () => {
    if (waiting === mostAtOnce) return
    waiting += 1
    const answered = visit(address, ca).then(
      ({ status, body }) => ({ status, body }),
      (error: Error) => ({ status: 0, body: error.message }),
    )
    sent.push(answered)
    void answered.then(() => (waiting -= 1))
  }
  send()
  const timer = setInterval(send, 1_000 / rate)
  return {
    async end() {
      clearInterval(timer)
      return Promise.all(sent)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** How often each answer was given, as in `200 2`. */
export function counted(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const answer = `${status} ${body.slice(0, 100)}`
    counts[answer] = (counts[answer] ?? 0) + 1
  }
  return counts
}
