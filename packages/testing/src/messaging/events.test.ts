import { streams } from '@hearth/contract'
import { connectMessaging } from '@hearth/messaging'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { startTestNats } from '../nats.ts'
import { sampleEvent } from './samples.ts'

test('an event is stored once, however often its id is published', async () => {
  await using server = await startTestNats()
  const messaging = await connectMessaging({ servers: [server.url], name: 'events' })
  const observer = await connect({ servers: server.url })
  try {
    await messaging.ensureStreams()
    const event = sampleEvent()
    for (let time = 0; time < 3; time += 1) await messaging.publishEvent(event)
    await messaging.publishEvent(sampleEvent({ organizationId: event.organizationId }))
    const manager = await jetstreamManager(observer)
    const { state } = await manager.streams.info(streams.event, { subjects_filter: '>' })
    expect(state.messages).toBe(2)
    expect(state.subjects).toHaveProperty(
      `hearth.event.${event.organizationId}.warm-pool.${event.resourceId}`,
      1,
    )
  } finally {
    await messaging.close()
    await observer.close()
  }
})
