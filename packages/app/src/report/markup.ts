/** Text that is HTML already; everything else is escaped when it enters a page. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Content = Markup | string | number | readonly Content[]

/**
 * Template tag for HTML: escapes every value that is not markup itself, so that nothing read from a file can become
 * part of the page's structure.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...values.map(render)))
}

/** Escapes the five characters that mean something in HTML text and attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
}

function render(content: Content): string {
  if (content instanceof Markup) return content.text
  if (typeof content === "object") return content.map(render).join("")
  return escapeHtml(String(content))
}
