const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

/**
 * Aborts on the first Ctrl-C, SIGTERM or lost terminal, so that everything can end in order; a second Ctrl-C exits at
 * once.
 */
export function listenForSignals(): { signal: AbortSignal; exitCodeOfSignal(): number | null } {
  const controller = new AbortController()
  let received: keyof typeof numbers | null = null
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (received === 'SIGINT' && name === 'SIGINT') process.exit(128 + numbers[name])
      received ??= name
      controller.abort()
    })
  }
  return {
    signal: controller.signal,
    exitCodeOfSignal: () => (received === null ? null : 128 + numbers[received]),
  }
}
