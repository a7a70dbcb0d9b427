import { Resvg } from "@resvg/resvg-js"
import { fontFamily, fontFiles } from "./fonts.ts"

/** Renders an SVG with the packaged font to a PNG, `zoom` pixels for each unit of the SVG. */
export function renderPng(svg: string, zoom: number, background?: string): Uint8Array {
  const rendered = new Resvg(svg, {
    font: {
      fontFiles: fontFiles(),
      loadSystemFonts: false,
      defaultFontFamily: fontFamily,
      sansSerifFamily: fontFamily,
    },
    fitTo: { mode: "zoom", value: zoom },
    ...(background === undefined ? {} : { background }),
  })
  return rendered.render().asPng()
}
