import type { z } from 'zod'
import { automationRules } from './automation.ts'
import { environmentRules } from './environment.ts'
import { opsRules } from './ops.ts'
import { prebuildRules } from './prebuild.ts'
import { projectRules } from './project.ts'
import { runnerRules } from './runner.ts'
import { secretRules } from './secret.ts'

const rules: Readonly<Record<string, z.ZodType>> = {
  ...prebuildRules,
  ...environmentRules,
  ...opsRules,
  ...automationRules,
  ...projectRules,
  ...runnerRules,
  ...secretRules,
}

/** The rules of a request, by the name of its message; undefined where it has none. */
export const ruleOf = (typeName: string): z.ZodType | undefined => rules[typeName]
