import { Error as errorLevel, logger, parse, View } from "vega"
import { compile, type TopLevelSpec } from "vega-lite"
import { fontStack } from "./fonts.ts"

/** A Vega-Lite chart; its colours and sizes come from the common style that {@link renderSvg} adds. */
export type ChartSpec = TopLevelSpec

const ink = "#1f2933"
const axisStyle = {
  labelFontSize: 13,
  titleFontSize: 13,
  labelColor: ink,
  titleColor: ink,
  titleFontWeight: "normal",
  titlePadding: 10,
  domainColor: "#8a94a0",
  tickColor: "#8a94a0",
  gridColor: "#e7eaee",
} as const

const config = {
  background: "white",
  font: fontStack,
  padding: 8,
  // The page has tables with the same numbers; a label on every mark would only double its size.
  aria: false,
  view: { stroke: null },
  axis: axisStyle,
  header: { labelFontSize: 13, labelFontWeight: "bold", labelColor: ink, titleColor: ink },
  title: {
    fontSize: 15,
    color: ink,
    subtitleFontSize: 13,
    subtitleColor: ink,
    subtitlePadding: 5,
    anchor: "start",
    offset: 12,
  },
  legend: {
    title: null,
    orient: "top",
    labelFontSize: 13,
    labelColor: ink,
    labelLimit: 0,
    symbolOpacity: 1,
    symbolSize: 90,
    columnPadding: 18,
    rowPadding: 4,
  },
} as const satisfies ChartSpec["config"]

/** Two legends stand one below the other: side by side they would be wider than the chart. */
const legendLayout = { top: { direction: "vertical", anchor: "start", margin: 4 } } as const

/** Draws a chart as an SVG. */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const quiet = logger(errorLevel)
  const compiled = compile({ ...spec, config }, { logger: quiet })
  const view = new View(parse(compiled.spec, { legend: { layout: legendLayout } }), { renderer: "none", logger: quiet })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
