import { z } from 'zod'
import { boundedLine, positiveSchema } from '../bounded.ts'
import { idSchema } from '../resource.ts'
import { reportedFailureSchema, reportedTimeSchema } from './reported.ts'

/** The name of a kind of work; it is a part of NATS subjects. */
export const workKindSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'the name of a kind of work: lower-case letters, digits and -')

const ofAnyKind = z.object({ kind: workKindSchema })
/** The kind of work that a message is about; throws where it does not say one. */
export const workKindOf = (message: unknown): string => ofAnyKind.parse(message).kind

/** Names the content of an order; what it is made of is the control plane's. */
export const orderDigestSchema = boundedLine(64, 1)

/**
 * What every order has, of whatever kind of work: it says the whole of what one thing should be. Newest replaces older;
 * an agent refuses an older epoch or generation.
 */
export const orderEnvelopeSchema = z.object({
  kind: workKindSchema,
  id: idSchema,
  runnerId: idSchema,
  epoch: positiveSchema,
  generation: positiveSchema.meta({ description: 'The specVersion of what is ordered' }),
  digest: orderDigestSchema.optional().meta({ description: 'Another one whenever anything else differs' }),
})
export type OrderEnvelope = z.infer<typeof orderEnvelopeSchema>

/**
 * What every report has, of whatever kind of work: it says the whole of what the agent saw, and a later one replaces an
 * earlier one. (epoch, sequence) rises for each id. In every kind `failed` and `deleted` are phases.
 */
export const reportEnvelopeSchema = z.object({
  kind: workKindSchema,
  id: idSchema,
  runnerId: idSchema,
  epoch: positiveSchema,
  generation: positiveSchema,
  sequence: z.int().positive().meta({ description: 'Rises with every report of one agent process' }),
  phase: boundedLine(63, 1),
  failure: reportedFailureSchema.nullable(),
  reportedAt: reportedTimeSchema,
})
export type ReportEnvelope = z.infer<typeof reportEnvelopeSchema>

/** One kind of work, as its messages say it. */
export interface WorkMessages<
  Order extends OrderEnvelope = OrderEnvelope,
  Report extends ReportEnvelope = ReportEnvelope,
> {
  readonly kind: Order['kind']
  readonly order: z.ZodType<Order>
  readonly report: z.ZodType<Report>
}

/** Whether an order, which was read by the schema of its kind, is one of this kind. */
export function isOrderOf<Order extends OrderEnvelope>(
  { kind }: Pick<WorkMessages<Order>, 'kind'>,
  order: OrderEnvelope,
): order is Order {
  return order.kind === kind
}

/** Whether a report, which was read by the schema of its kind or made by it, is one of this kind. */
export function isReportOf<Report extends ReportEnvelope>(
  { kind }: Pick<WorkMessages<OrderEnvelope, Report>, 'kind' | 'report'>,
  report: ReportEnvelope,
): report is Report {
  return report.kind === kind
}
