/** `pnpm fuzz NAME --count N --seed N`: sends what an untrusted party may send, and checks who is harmed by it. */
const [name = '', ...words] = process.argv.slice(2)

export interface Fuzzer {
  /** Resolves with the exit status. */
  run(words: readonly string[]): Promise<number>
}

const fuzzers: Readonly<Record<string, () => Promise<Fuzzer>>> = {
  http: () => import('./http/run.ts'),
  messages: () => import('./messages/run.ts'),
}

const load = fuzzers[name]
if (load === undefined) {
  console.error(`usage: pnpm fuzz ${Object.keys(fuzzers).join('|')} [--count N] [--seed N]`)
  process.exitCode = 2
} else {
  process.exitCode = await (await load()).run(words)
}
