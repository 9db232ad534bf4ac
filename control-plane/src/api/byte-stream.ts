/** A stream of bytes that reads a piece when the one before has been taken; `onEnd` is called once, also when its reader leaves. */
export function byteStream(
  pieces: AsyncGenerator<Buffer, void>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          if (done !== true) return controller.enqueue(new Uint8Array(value))
          onEnd()
          controller.close()
        } catch (error) {
          onEnd()
          throw error
        }
      },
      async cancel() {
        onEnd()
        await pieces.return()
      },
    },
    { highWaterMark: 0 },
  )
}
