import { beforeEach, describe, expect, test } from "vitest";
import { morph } from "./morph";

function element(html: string): Element {
  const t = document.createElement("template");
  t.innerHTML = html;
  const e = t.content.firstElementChild;
  if (!e) throw new Error("no element");
  return e;
}

describe("morph", () => {
  beforeEach(() => {
    document.body.replaceChildren();
  });

  const change = (from: string, to: string): Element => {
    const e = element(from);
    document.body.append(e);
    morph(e, element(to));
    return e;
  };

  test.each([
    ["<p>a</p>", '<p class="x">b</p>'],
    ['<p class="x" id="i">b</p>', "<p></p>"],
    ["<ul><li>1</li><li>2</li></ul>", "<ul><li>2</li></ul>"],
    ["<div>text</div>", "<div><b>bold</b> text</div>"],
    ['<div><i id="a">1</i><i id="b">2</i></div>', '<div><i id="b">3</i><i id="c">4</i><i id="a">1</i></div>'],
    ['<div><p>x</p><i id="a">1</i></div>', '<div><i id="a">2</i><p>x</p></div>'],
    ['<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>', '<svg viewBox="0 0 2 2"><g><path d="M1 1"/></g></svg>'],
  ])("turns %s into %s", (from, to) => {
    expect(change(from, to).outerHTML).toBe(element(to).outerHTML);
  });

  test("keeps what did not change: focus, scroll and the very elements", () => {
    const e = element('<div><section id="a"><div tabindex="0">1</div></section><section id="b">2</section></div>');
    document.body.append(e);
    const inner = e.querySelector<HTMLElement>("[tabindex]");
    const b = e.querySelector("#b");
    inner?.focus();
    if (inner) inner.scrollTop = 40;
    morph(
      e,
      element(
        '<div><section id="a"><div tabindex="0">5</div></section><section id="c">new</section><section id="b">2</section></div>',
      ),
    );
    expect(document.activeElement).toBe(inner);
    expect(inner?.scrollTop).toBe(40);
    expect(inner?.textContent).toBe("5");
    expect(e.querySelector("#b")).toBe(b);
    expect([...e.children].map((c) => c.id)).toEqual(["a", "c", "b"]);
  });
});
