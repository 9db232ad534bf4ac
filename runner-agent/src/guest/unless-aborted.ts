/** Resolves as the work does; rejects at once when the signal aborts. */
export function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const settle = () => signal.removeEventListener('abort', onAbort)
    work.then(resolve, reject).finally(settle)
  })
}
