import { z } from 'zod'

export const variableNameSchema = z
  .string()
  .max(255)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _, no digit first')

export const variablesSchema = z.record(variableNameSchema, z.string().max(65_536)).meta({
  description:
    'Taken as written: $PATH in a value stays that text. To add to a variable, export it in a command',
})
