import type { Messaging } from '@hearth/messaging'

/** A `Messaging` of the methods that a test gives; a call of any other method throws. */
export function messagingStub(given: Partial<Messaging>): Messaging {
  return new Proxy(given, {
    get: (methods, name) => {
      // A promise that resolves to the stub asks whether it is a promise, too.
      if (name === 'then' || name in methods) return Reflect.get(methods, name) as unknown
      return () => {
        throw new Error(`Messaging.${String(name)} was called, which is not expected in this test`)
      }
    },
  }) as Messaging
}
