import { describe, expect, it } from "vitest"
import { child, formatXml, parseXml, textOf } from "./xml.ts"

const parse = (text: string) => parseXml(new TextEncoder().encode(text))

describe("parseXml", () => {
  it("reads elements in order, attributes, comments and text with XML's own references", () => {
    const root = parse(
      '<?xml version="1.0"?>\n<a verified="y&amp;s">\n <b> 1 &lt; &#50; </b><!-- why --><b/><c><![CDATA[<&]]></c></a>\n',
    )
    expect(root.attributes).toEqual({ verified: "y&s" })
    expect(root.children).toEqual([
      { name: "b", attributes: {}, children: [{ text: " 1 < 2 " }] },
      { comment: " why " },
      { name: "b", attributes: {}, children: [] },
      { name: "c", attributes: {}, children: [{ text: "<&" }] },
    ])
    expect(textOf(child(root, "b"))).toBe("1 < 2")
  })

  it("refuses document types and entities, whatever they would expand to", () => {
    expect(() => parse('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')).toThrow(/DOCTYPE/)
    expect(() => parse('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>')).toThrow(/DOCTYPE/)
    expect(() => parse("<a>&x;</a>")).toThrow(/entity "&x;"/)
    expect(() => parse("<a>&constructor;</a>")).toThrow(/entity/)
  })

  it("refuses what nests too deep, is cut off or is no XML", () => {
    expect(() => parse("<a>".repeat(5000) + "</a>".repeat(5000))).toThrow(/deeper than 16/)
    expect(() => parse("<annotation><object>")).toThrow(/well-formed/)
    expect(() => parse("hello")).toThrow(/well-formed/)
    expect(() => parse("")).toThrow(/well-formed/)
    expect(() => parse("<a/><b/>")).toThrow(/one root element, got 2/)
    expect(() => parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff))).toThrow(/UTF-8/)
  })

  it("reads what it wrote to the same tree", () => {
    const root = parse('<a x="&quot;1&quot;"><b> &amp;&lt;&gt; </b><!--c--><d><e/></d></a>')
    expect(parse(formatXml(root))).toEqual(root)
    expect(formatXml(root)).toContain("\n\t<d>\n\t\t<e></e>\n\t</d>\n")
  })
})
