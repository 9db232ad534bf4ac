import { readFile } from 'node:fs/promises'

const most = 600

/** The end of what a Caddy wrote when it did not start, as one line. */
export async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text
    .split('\n')
    .map(readable)
    .filter((line) => line !== '')
  return lines.slice(-3).join('; ').slice(-most) || 'it says nothing'
}

/** Its log is JSON, its last words are not. */
function readable(line: string): string {
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown; error?: unknown }
    if (entry.level === 'info') return ''
    return [entry.msg, entry.error].filter((part) => typeof part === 'string').join(': ')
  } catch {
    return line.trim()
  }
}
