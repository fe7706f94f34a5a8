import { micromark } from "micromark";
import { gfmAutolinkLiteral, gfmAutolinkLiteralHtml } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough, gfmStrikethroughHtml } from "micromark-extension-gfm-strikethrough";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";
import type { CompileContext, HtmlExtension } from "micromark-util-types";
import { optionText } from "./columns";
import { clean } from "./html";

/**
 * Markdown as HTML. Raw HTML in it is shown as text, links lead only to http, https and mailto, and images are shown as
 * links: a dashboard fetches nothing from strangers.
 */
export function drawMarkdown(text: string, firstLevel: number): string {
  const html = micromark(clean(text), {
    extensions: [gfmAutolinkLiteral(), gfmStrikethrough(), gfmTable(), gfmTaskListItem()],
    htmlExtensions: [gfmAutolinkLiteralHtml(), gfmStrikethroughHtml(), gfmTableHtml(), taskBoxes],
  });
  return links(headings(html, firstLevel));
}

/** The Markdown text of a widget's options. */
export function markdownText(options: Readonly<Record<string, unknown>>): string {
  return optionText(options, "text");
}

/** Ticked and open boxes as signs rather than as form fields, which nobody could fill in. */
const taskBoxes: HtmlExtension = {
  exit: {
    taskListCheckValueChecked(this: CompileContext) {
      this.raw('<span class="task on" role="img" aria-label="done">✓</span>');
    },
    taskListCheckValueUnchecked(this: CompileContext) {
      this.raw('<span class="task" role="img" aria-label="open"></span>');
    },
  },
};

// What follows rewrites tags that micromark made. Text cannot be mistaken for them: its every < is &lt;, and its every "
// is &quot;.

/** Headings below the widget's own, going down one level at a time as a table of contents wants it. */
function headings(html: string, first: number): string {
  const open: number[] = [];
  let level = first;
  return html.replace(/<(\/?)h([1-6])>/g, (_, close: string, digit: string) => {
    if (close === "") {
      const n = Number(digit);
      while (open.length > 0 && (open[open.length - 1] ?? 0) >= n) open.pop();
      open.push(n);
      level = Math.min(6, first + open.length - 1);
    }
    return `<${close}h${String(level)}>`;
  });
}

function links(html: string): string {
  let inside = false;
  return html.replace(
    /<a href="([^"]*)"( title="[^"]*")?>|<\/a>|<img src="([^"]*)" alt="([^"]*)"(?: title="[^"]*")? ?\/?>/g,
    (tag, href: string | undefined, title: string | undefined, src: string | undefined, alt: string | undefined) => {
      if (tag === "</a>") {
        inside = false;
        return tag;
      }
      if (src !== undefined) {
        const name = alt === undefined || alt === "" ? "Image" : alt;
        return inside || !outside(src) ? name : `${anchor(src, "")}${name}</a>`;
      }
      inside = true;
      return href !== undefined && outside(href) ? anchor(href, title ?? "") : "<a>";
    },
  );
}

function anchor(href: string, title: string): string {
  return `<a href="${href}"${title} target="_blank" rel="noopener noreferrer nofollow">`;
}

/** Whether an address leads somewhere else: nothing relative, which would mean this server's own pages. */
function outside(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href);
}
