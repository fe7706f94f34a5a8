let sheet: CSSStyleSheet | null = null;

/** Places cards anew. A sheet made here comes after those of the page, so its rules win. */
export function place(css: string): void {
  try {
    sheet ??= new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
  } catch {
    // Safari before 16.4 has no sheets of its own to adopt.
    const last = document.styleSheets[document.styleSheets.length - 1];
    if (css !== "") last?.insertRule(css, last.cssRules.length);
  }
}
