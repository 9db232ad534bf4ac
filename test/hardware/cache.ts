import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

// Not below a temporary folder: QEMU's own user must be able to reach these files.
const cache = process.env.HEARTH_TEST_CACHE ?? '/var/cache/hearth-test'

/** Where base images are kept between runs: building them is expensive. */
export const imagesCache = (): Promise<string> =>
  passable(process.env.HEARTH_TEST_IMAGES ?? join(cache, 'images'))

/** Holds a folder for each run of tests or measurements. */
export const runsFolder = (): Promise<string> =>
  passable(process.env.HEARTH_TEST_STATE ?? join(cache, 'runs'))

async function passable(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o755 })
  await chmod(path, 0o755)
  return path
}
