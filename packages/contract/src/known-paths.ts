import { z } from "zod"

/** The part of JSON Schema that says where keys may stand. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly anyOf?: readonly SchemaNode[]
  readonly oneOf?: readonly SchemaNode[]
}

/** Dotted paths of every key that a schema knows, groups before what stands in them, e.g. `budget`, `budget.initial`. */
export function knownPaths(schema: z.ZodType): string[] {
  return [...new Set(pathsBelow(z.toJSONSchema(schema, { io: "input" }) as SchemaNode, ""))]
}

function pathsBelow(node: SchemaNode, prefix: string): string[] {
  const here = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    `${prefix}${key}`,
    ...pathsBelow(child, `${prefix}${key}.`),
  ])
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])]
  return [...here, ...alternatives.flatMap((alternative) => pathsBelow(alternative, prefix))]
}
