import type { ChildProcess } from 'node:child_process'
import { residentMebibytes } from './service.ts'

const lookMilliseconds = 50

/** Samples the resident memory of a program until `stop`, which tells by how many MiB it rose above that at the beginning. */
export function watchMemory(program: ChildProcess): { stop(): number } {
  const before = residentMebibytes(program)
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, residentMebibytes(program))
  }, lookMilliseconds)
  return {
    stop() {
      clearInterval(timer)
      return highest - before
    },
  }
}
