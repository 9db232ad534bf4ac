import type { z } from 'zod'
import { environmentRules } from './environment.ts'
import { prebuildRules } from './prebuild.ts'
import { projectRules } from './project.ts'

const rules: Readonly<Record<string, z.ZodType>> = { ...prebuildRules, ...environmentRules, ...projectRules }

/** The rules of a request, by the name of its message; undefined where it has none. */
export const ruleOf = (typeName: string): z.ZodType | undefined => rules[typeName]
