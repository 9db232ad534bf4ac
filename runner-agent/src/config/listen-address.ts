import { z } from 'zod'

export const listenAddress = z
  .string()
  .regex(/^.+:\d+$/, 'host:port')
  .transform((text) => ({
    host: text.slice(0, text.lastIndexOf(':')),
    port: Number(text.slice(text.lastIndexOf(':') + 1)),
  }))
