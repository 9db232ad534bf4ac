import { posix } from 'node:path'

/** Folder of the socket through which a machine gets its memory. An agent that was killed meanwhile leaves it. */
export function memorySocketFolder(socketsFolder: string, environmentId: string): string {
  return posix.join(socketsFolder, `${environmentId}.memory`)
}
