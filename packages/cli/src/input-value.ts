import { text } from 'node:stream/consumers'

/** A value on standard input; one on a line of its own has the line's end from the program that wrote it. */
export async function readInputValue(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}
