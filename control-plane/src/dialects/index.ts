import type { Dialect } from '../api/dialect.ts'
import { capy } from './capy/index.ts'
import { feldera } from './feldera/index.ts'
import { konigle } from './konigle/index.ts'
import { ona } from './ona/index.ts'
import { tilt } from './tilt/index.ts'

/** Every other system's interface that Hearth speaks. */
export const dialects: readonly Dialect[] = [capy, feldera, konigle, ona, tilt]
