import { z } from 'zod'

const strictShape = (shape: Readonly<Record<string, z.ZodType>>) =>
  Object.fromEntries(Object.entries(shape).map(([name, inner]) => [name, strict(inner)]))

/** The same schema, in which no object may have a field that it does not name. */
export const strict = (schema: z.ZodType): z.ZodType => {
  if (schema instanceof z.ZodObject) return z.strictObject(strictShape(schema.shape))
  if (schema instanceof z.ZodArray) return z.array(strict(schema.element as z.ZodType))
  if (schema instanceof z.ZodNullable) return strict(schema.unwrap() as z.ZodType).nullable()
  if (schema instanceof z.ZodOptional) return strict(schema.unwrap() as z.ZodType).optional()
  if (schema instanceof z.ZodUnion)
    return z.union(schema.options.map((one) => strict(one as z.ZodType)))
  return schema
}
