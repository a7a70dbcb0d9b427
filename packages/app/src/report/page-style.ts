/** The report's style sheet: light, plain and without anything from outside. */
export const pageStyle = `
:root { color-scheme: light; --ink: #1f2933; --soft: #5b6773; --line: #dde2e8; --tint: #f5f7fa; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: white; color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto,
  "DejaVu Sans", Verdana, sans-serif; overflow-wrap: break-word; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 1.3rem; margin: 44px 0 12px; padding-top: 18px; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 6px; }
p { margin: 0 0 12px; }
.soft, figcaption { color: var(--soft); }
.verdict { margin: 22px 0 0; padding: 18px 22px; background: var(--tint); border-left: 4px solid var(--accent);
  border-radius: 0 6px 6px 0; }
.verdict p { font-size: 1.15rem; font-weight: 600; margin: 0; }
.verdict ul { margin: 12px 0 0; padding-left: 20px; }
.verdict li { margin: 4px 0; }
.scroll { overflow-x: auto; margin: 0 0 18px; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 14px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 2px; }
thead th { border-bottom: 2px solid #b9c2cc; }
tbody th { font-weight: 600; }
.dot { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 7px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 0.88rem; margin-top: 4px; }
.chart svg { display: block; max-width: 100%; height: auto; }
.narrow { display: none; }
.grid { display: grid; gap: 30px 36px; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.grid.three { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.sheets img { display: block; width: 100%; height: auto; max-width: 640px; border: 1px solid var(--line);
  border-radius: 4px; }
.found img { display: block; width: 100%; height: auto; max-width: 1112px; }
details { margin: 0 0 18px; }
summary { cursor: pointer; font-weight: 600; padding: 6px 0; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 22px; margin: 0 0 18px; }
dt { color: var(--soft); }
dd { margin: 0; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: 0.88rem; }
pre { margin: 0 0 14px; padding: 12px 16px; background: var(--tint); border: 1px solid var(--line); border-radius: 6px;
  overflow-x: auto; line-height: 1.45; }
@media (max-width: 860px) {
  .grid, .grid.three { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 640px) {
  main { padding: 18px 16px 40px; }
  h1 { font-size: 1.5rem; }
  .verdict { padding: 14px 16px; }
  .wide { display: none; }
  .narrow { display: block; }
  .sheets figure, .found figure { overflow-x: auto; }
  .found img { width: 860px; max-width: none; }
  .sheets img { width: 560px; max-width: none; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
}
@media print { main { max-width: none; } }
`
