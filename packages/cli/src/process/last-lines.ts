import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** The last lines of a file that may be large; empty when there is no file. */
export function lastLines(file: string, count = 15): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const bytes = Buffer.alloc(Math.min(size, 32_768))
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString().trimEnd().split('\n').slice(-count).join('\n')
  } finally {
    closeSync(descriptor)
  }
}
