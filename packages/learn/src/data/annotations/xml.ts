import { XMLParser, XMLValidator } from "fast-xml-parser"

/** An element of an XML file; text that is nothing but white space between elements is not kept. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlNode[]
}

/** An element, text with its references resolved, or a comment. */
export type XmlNode = XmlElement | { readonly text: string } | { readonly comment: string }

/** Annotations are three deep, with `part` four. */
const deepest = 16

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  commentPropName: "#comment",
  cdataPropName: "#cdata",
  maxNestedTags: deepest,
})

/**
 * Reads an XML file into a tree; the root element and nothing beside it.
 *
 * A document type is refused and of references only the five of XML itself and those of characters are known, so
 * nothing can be expanded and no other file is reached.
 *
 * @throws Error that says what is wrong
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  const text = decodeUtf8(bytes)
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new Error("has a DOCTYPE or ENTITY, which annotations have no use for")
  const verdict = XMLValidator.validate(text)
  if (verdict !== true) throw new Error(`no well-formed XML: ${verdict.err.msg} (line ${verdict.err.line})`)
  const roots = toNodes(parseOrdered(text)).filter((node) => "name" in node)
  const [root] = roots
  if (root === undefined || roots.length > 1) throw new Error(`expected one root element, got ${roots.length}`)
  return root
}

/** Writes a tree as UTF-8 XML, each element on a line of its own, indented by tabs as PASCAL VOC's files are. */
export function formatXml(root: XmlElement): string {
  const lines: string[] = []
  addLines(root, "", lines)
  return `${lines.join("\n")}\n`
}

/** The first child element of that name. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((node): node is XmlElement => "name" in node && node.name === name)
}

/** The text of an element without the white space around it. */
export function textOf(element: XmlElement | undefined): string | undefined {
  if (element === undefined) return undefined
  return element.children
    .map((node) => ("text" in node ? node.text : ""))
    .join("")
    .trim()
}

/** An element that holds text only. */
export function leaf(name: string, text: string | number): XmlElement {
  return { name, attributes: {}, children: [{ text: String(text) }] }
}

/** An element of elements. */
export function branch(name: string, ...children: readonly XmlElement[]): XmlElement {
  return { name, attributes: {}, children }
}

/** The element with its first child of that name replaced, or with the child added at the end. */
export function withChild(element: XmlElement, replacement: XmlElement): XmlElement {
  const existing = child(element, replacement.name)
  const children =
    existing === undefined
      ? [...element.children, replacement]
      : element.children.map((node) => (node === existing ? replacement : node))
  return { ...element, children }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new Error("no UTF-8 text")
  }
}

type OrderedNode = Readonly<Record<string, unknown>>

function parseOrdered(text: string): readonly OrderedNode[] {
  try {
    return parser.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(message.includes("nested tags") ? `nested deeper than ${deepest} elements` : message)
  }
}

function toNodes(ordered: readonly OrderedNode[]): XmlNode[] {
  const nodes = ordered.map(toNode)
  const hasElements = nodes.some((node) => "name" in node)
  return hasElements ? nodes.filter((node) => !("text" in node) || node.text.trim() !== "") : nodes
}

function toNode(ordered: OrderedNode): XmlNode {
  const [name] = Object.keys(ordered).filter((key) => key !== ":@")
  const content = ordered[name as string]
  if (name === "#text") return { text: resolve(String(content)) }
  const inner = content as readonly OrderedNode[]
  if (name === "#comment" || name === "#cdata") {
    const text = inner.map((node) => String(node["#text"] ?? "")).join("")
    return name === "#comment" ? { comment: text } : { text }
  }
  const attributes = Object.entries((ordered[":@"] ?? {}) as Record<string, string>)
  return {
    name: name as string,
    attributes: Object.fromEntries(attributes.map(([key, value]) => [key, resolve(value)])),
    children: toNodes(inner),
  }
}

const predefined: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

function resolve(text: string): string {
  if (!text.includes("&")) return text
  return text.replace(/&([^;&\s]*);?/g, (reference, name: string) => {
    const known = Object.hasOwn(predefined, name) ? predefined[name] : undefined
    if (known !== undefined) return known
    const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name)
    const point = code === null ? Number.NaN : Number.parseInt(code[1] ?? (code[2] as string), code[1] ? 16 : 10)
    if (point > 0 && point <= 0x10ffff) return String.fromCodePoint(point)
    throw new Error(`the entity ${JSON.stringify(reference)} is none of XML's own`)
  })
}

function addLines(element: XmlElement, indent: string, lines: string[]): void {
  const attributes = Object.entries(element.attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
  const opening = `${indent}<${element.name}${attributes.join("")}`
  if (element.children.length === 0) {
    lines.push(`${opening}></${element.name}>`)
    return
  }
  if (element.children.every((node) => "text" in node)) {
    const text = element.children.map((node) => ("text" in node ? escapeXml(node.text) : "")).join("")
    lines.push(`${opening}>${text}</${element.name}>`)
    return
  }
  lines.push(`${opening}>`)
  for (const node of element.children) {
    if ("name" in node) addLines(node, `${indent}\t`, lines)
    else lines.push("comment" in node ? `${indent}\t<!--${node.comment}-->` : escapeXml(node.text.trim()))
  }
  lines.push(`${indent}</${element.name}>`)
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (letter) => escapes[letter] as string)
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#13;",
}
