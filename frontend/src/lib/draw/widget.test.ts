import { describe, expect, test } from "vitest";
import { drawBoard, drawSection, drawWidget } from "./index";
import { dice, faults, textOf, widget } from "./test/widgets";
import type { Cell, DrawWidget } from "./types";

const day = 86_400_000;
const t0 = Date.UTC(2026, 2, 1);
const kinds = ["stat", "line", "bar", "table", "markdown", "status"];

describe("stat", () => {
  test("says the last number, the change in words, and draws its course", () => {
    const html = drawWidget(
      widget(
        "stat",
        ["t:time", "v"],
        [
          [t0, 100],
          [t0 + day, 80],
        ],
        { unit: "ms", better: "down" },
      ),
    );
    expect(textOf(html)).toBe("A title 80 ms down 20.0% better than 1 Mar");
    expect(html).toContain('class="dl good"');
    expect(html).toContain('class="sp"');
    expect(faults(html)).toEqual([]);
  });

  test.each([
    ["up", 120, "up 20.0% better than before"],
    ["down", 120, "up 20.0% worse than before"],
    ["neither", 120, "up 20.0% vs before"],
    [null, 80, "down 20.0% vs before"],
    ["up", 100, "no change since before"],
  ])("judges a change: better %s, now %d", (better, now, words) => {
    expect(textOf(drawWidget(widget("stat", ["v"], [[100], [now]], { better })))).toContain(words);
  });

  test.each([
    ["last", "3", ""],
    ["first", "1", "first of 3 values"],
    ["sum", "6", "sum of 3 values"],
    ["mean", "2", "mean of 3 values"],
    ["min", "1", "lowest of 3 values"],
    ["max", "3", "highest of 3 values"],
    ["count", "3", "with a v"],
  ])("aggregates: %s", (aggregate, value, caption) => {
    const w = widget("stat", ["v"], [[1], [2], [null], [3]], { aggregate, trend: aggregate === "last" ? false : null });
    expect(textOf(drawWidget(w))).toBe(`A title ${value}${caption === "" ? "" : " " + caption}`);
  });

  test("from nothing, says the difference instead of a share", () => {
    expect(textOf(drawWidget(widget("stat", ["v"], [[0], [17]])))).toContain("up 17 vs before");
  });
});

describe("line", () => {
  const rows = Array.from({ length: 500 }, (_, i): Cell[] => [
    t0 + i * 3_600_000,
    Math.round(100 * Math.sin(i / 40)),
    i,
  ]);

  test("tells its story to those who do not see it", () => {
    const html = drawWidget(widget("line", ["t:time", "a", "b"], rows, { unit: "ms" }));
    expect(html).toContain(
      'role="img" aria-label="A title, line chart, 1 Mar 2026, 00:00 to 21 Mar 2026, 19:00. a: last',
    );
    expect(html).toContain("lowest −100\u00a0ms, highest 100\u00a0ms");
    expect(faults(html)).toEqual([]);
  });

  test("names series and their last values, or the one value in the heading", () => {
    expect(drawWidget(widget("line", ["t:time", "a", "b"], rows))).toContain('<i class="c2"></i>b <b>499</b>');
    const one = drawWidget(
      widget(
        "line",
        ["t:time", "b"],
        rows.map((r) => [r[0] ?? 0, r[2] ?? 0]),
      ),
    );
    expect(one).toContain('<span class="w-v">499</span>');
    expect(one).not.toContain('class="lg"');
  });

  test("sorts by time, leaves gaps, and takes a number or the rows' order along", () => {
    const path = (w: DrawWidget): string | undefined => /class="ln" d="([^"]*)"/.exec(drawWidget(w))?.[1];
    const a = path(
      widget(
        "line",
        ["t:time", "v"],
        [
          [t0 + day, 2],
          [t0, 1],
          [t0 + 2 * day, 3],
        ],
      ),
    );
    expect(a).toBe(
      path(
        widget(
          "line",
          ["t:time", "v"],
          [
            [t0, 1],
            [t0 + day, 2],
            [t0 + 2 * day, 3],
          ],
        ),
      ),
    );
    expect(path(widget("line", ["v"], [[1], [null], [3], [4]]))?.split("M")).toHaveLength(3);
    expect(
      drawWidget(
        widget(
          "line",
          ["year", "v"],
          [
            [1990, 1],
            [2000, 5],
            [2010, 2],
          ],
        ),
      ),
    ).toContain(">2000</text>");
    expect(
      drawWidget(
        widget(
          "line",
          ["m:text", "v"],
          [
            ["Jan", 1],
            ["Feb", 5],
          ],
        ),
      ),
    ).toContain(">Feb</text>");
  });

  test("draws few bytes of many points, and keeps peaks", () => {
    const roll = dice(1);
    const many = Array.from({ length: 20_000 }, (_, i): Cell[] => [t0 + i * 60_000, i === 7777 ? 5000 : roll() * 100]);
    const html = drawWidget(widget("line", ["t:time", "v"], many));
    expect(html.length).toBeLessThan(9_000);
    expect(html).toContain("highest 5,000");
  });

  test("stacks", () => {
    const html = drawWidget(
      widget(
        "line",
        ["t:time", "a", "b"],
        [
          [t0, 10, 20],
          [t0 + day, 10, 30],
        ],
        { stack: true },
      ),
    );
    expect(html).toContain("<span>40</span>");
    expect(html.match(/class="ar"/g)).toHaveLength(2);
  });

  test("draws one point as a dot in the middle", () => {
    expect(drawWidget(widget("line", ["t:time", "v"], [[t0, 5]]))).toContain('<circle class="c1" cx="50%" cy="50%"');
  });
});

describe("bar", () => {
  test("draws and tells every bar, negative ones below the ground", () => {
    const html = drawWidget(
      widget(
        "bar",
        ["m:text", "v"],
        [
          ["Jan", 10],
          ["Feb", -5],
        ],
        { unit: "k" },
      ),
    );
    expect(html).toContain('aria-label="A title, bar chart. Jan 10\u00a0k; Feb −5\u00a0k."');
    expect(html).toContain('class="zr"');
    expect(faults(html)).toEqual([]);
  });

  test("lies down when asked, or when names are long", () => {
    const long = [
      ["Customer support and success", 3],
      ["b", 4],
    ] as const;
    expect(drawWidget(widget("bar", ["m:text", "v"], long, {}, { layout: { x: 0, y: 0, w: 3, h: 4 } }))).toContain(
      'class="hb"',
    );
    expect(drawWidget(widget("bar", ["m:text", "v"], long, { horizontal: false }))).not.toContain('class="hb"');
    const lying = drawWidget(widget("bar", ["m:text", "a", "b"], [["x", 1, -2]], { horizontal: true }));
    expect(textOf(lying)).toContain("x 1 · −2");
    expect(faults(lying)).toEqual([]);
  });

  test("stacks upwards and downwards", () => {
    const html = drawWidget(
      widget("bar", ["q:text", "a", "b", "c"], [["Q1", 10, 20, -15]], { stack: true, horizontal: false }),
    );
    expect(html).toContain("<span>30</span>");
    expect(html).toMatch(/<span>−(15|20)<\/span>/);
  });

  test("of too many, says how many it shows", () => {
    const rows = Array.from({ length: 500 }, (_, i): Cell[] => [`n${String(i)}`, i]);
    expect(textOf(drawWidget(widget("bar", ["n:text", "v"], rows)))).toContain("Showing 100 of 500");
  });
});

describe("table", () => {
  test("aligns numbers at the point and writes times alike", () => {
    const html = drawWidget(
      widget(
        "table",
        ["n:text", "v", "t:time"],
        [
          ["a", 1.5, t0],
          ["b", 20, t0 + day],
        ],
      ),
    );
    expect(html).toContain('<td class="n">1.5</td>');
    expect(html).toContain('<td class="n">20.0</td>');
    expect(html).toContain('<td class="d">2 Mar 2026</td>');
    expect(html).toContain('<th scope="col" class="n">v</th>');
    expect(faults(html)).toEqual([]);
  });

  test("limits, and says so", () => {
    const rows = Array.from({ length: 300 }, (_, i): Cell[] => [t0 + i * day, i]);
    const first = textOf(drawWidget(widget("table", ["t:time", "v"], rows, { limit: 2, newestFirst: false })));
    expect(first).toContain("1 Mar 2026 0 2 Mar 2026 1 Showing 2 of 300 rows");
    const newest = textOf(drawWidget(widget("table", ["t:time", "v"], rows, { limit: 2 })));
    expect(newest).toContain("299");
    expect(newest).toContain("Showing the newest 2 of 300 rows");
    expect(
      textOf(drawWidget(widget("table", ["t:time", "v"], rows, { columns: ["v"], limit: 1, newestFirst: false }))),
    ).toContain("v 0 Showing");
  });

  test("cuts a cell of a megabyte, and takes yes, no and nothing", () => {
    const html = drawWidget(
      widget(
        "table",
        ["a:text", "b:text"],
        [
          ["x".repeat(1 << 20), true],
          [null, false],
        ],
      ),
    );
    expect(html.length).toBeLessThan(1_500);
    expect(textOf(html)).toContain("Yes No");
  });
});

describe("status", () => {
  test("reads words and numbers, and tells states apart without colour", () => {
    const html = drawWidget(
      widget(
        "status",
        ["service:text", "state:text", "note:text"],
        [
          ["API", "UP", "142 ms"],
          ["Search", "degraded", ""],
          ["Mail", "Down (since 2)", ""],
          ["Web", 200, ""],
          ["DNS", false, ""],
          ["Cron", "??", ""],
        ],
      ),
    );
    expect([...html.matchAll(/<li class="(\w+)"/g)].map((m) => m[1])).toEqual([
      "ok",
      "warn",
      "down",
      "ok",
      "down",
      "unknown",
    ]);
    expect(html).toContain('<span class="w-v">2 down, 1 warning</span>');
    expect(faults(html)).toEqual([]);
  });

  test("of a label's rows the last counts", () => {
    const html = drawWidget(
      widget(
        "status",
        ["s:text", "state:text"],
        [
          ["API", "down"],
          ["API", "ok"],
        ],
      ),
    );
    expect(textOf(html)).toBe("A title all 1 OK API ok");
  });
});

describe("markdown", () => {
  const md = (text: string, title = "A title"): string => drawWidget(widget("markdown", [], [], { text }, { title }));

  test("draws GitHub's flavour", () => {
    const html = md("# A\n\n- [x] done\n- [ ] open\n\n|a|b|\n|-|-:|\n|1|2|\n\n~~old~~ www.example.com");
    for (const part of [
      "<h3>A</h3>",
      'class="task on"',
      '<th align="right">b</th>',
      "<del>old</del>",
      'href="http://www.example.com"',
    ]) {
      expect(html).toContain(part);
    }
    expect(faults(html)).toEqual([]);
  });

  test("puts headings below its own, one level at a time", () => {
    const levels = (html: string): string[] => [...html.matchAll(/<h(\d)/g)].map((m) => m[1] ?? "");
    expect(levels(md("# a\n\n#### b\n\n## c\n\n# d"))).toEqual(["2", "3", "4", "4", "3"]);
    expect(levels(md("### a\n\n###### b", ""))).toEqual(["2", "3"]);
  });

  test("B2 fetches nothing and leads nowhere inside", () => {
    const html = md(
      "![pixel](https://evil.example/x.png) [in](/logout) [js](javascript:alert(1)) [![i](https://a.example/i.png)](https://b.example) [d](data:text/html,x)",
    );
    expect(html).not.toMatch(/<img|javascript|\/logout|data:/);
    expect(html).toContain(
      '<a href="https://evil.example/x.png" target="_blank" rel="noopener noreferrer nofollow">pixel</a>',
    );
    expect(html).toContain('<a href="https://b.example" target="_blank" rel="noopener noreferrer nofollow">i</a>');
    expect(faults(html)).toEqual([]);
  });
});

describe("what cannot be drawn says so in words", () => {
  test.each(kinds)("%s without data", (kind) => {
    expect(textOf(drawWidget(widget(kind, ["v"], [])))).toBe(
      kind === "markdown" ? "A title No text yet" : "A title No data yet",
    );
  });

  test.each([
    ["line", { y: ["gone"] }, "The data has no column “gone”."],
    ["bar", { x: "gone" }, "The data has no column “gone”."],
    ["stat", { value: "gone" }, "The data has no column “gone”."],
    ["table", { columns: ["gone"] }, "The data has no column “gone”."],
    ["status", { state: "gone" }, "The data has no column “gone”."],
    ["gauge-3d", {}, "This kind of widget is not known here."],
  ])("%s with %o", (kind, options, words) => {
    expect(textOf(drawWidget(widget(kind, ["v"], [[1]], options)))).toContain(words);
  });

  test("numbers are needed, and their absence is named", () => {
    for (const kind of ["stat", "line", "bar"]) {
      expect(textOf(drawWidget(widget(kind, ["a:text"], [["x"]])))).toContain("needs a column of numbers");
    }
    expect(textOf(drawWidget(widget("line", ["v"], [[null], ["?"]])))).toContain("No data yet");
  });

  test("damaged widgets do not take the page with them", () => {
    const broken = { ...widget("line", ["v"], [[1]]), columns: null as unknown as DrawWidget["columns"] };
    expect(textOf(drawWidget(broken))).toContain("This widget could not be drawn.");
  });
});

describe("B2 text is never markup", () => {
  const hostile = `"><img src=x onerror=alert(1)>'\`&lt;</h2></script><svg onload=x>\u0000\u202e\ud800`;

  test.each(kinds)("%s", (kind) => {
    const w = widget(
      kind,
      [`${hostile.replace(/:/g, "")}:text`, hostile.replace(/:/g, ""), "t:time"],
      [
        [hostile, 3, t0],
        [hostile + "2", -4, t0 + day],
      ],
      { prefix: hostile, unit: hostile, text: hostile + "\n\n[a](" + hostile + ")\n\n# " + hostile },
      { id: `w"><b>`, title: hostile },
    );
    for (const options of [{}, { horizontal: true }, { stack: true }, { legend: true }, { aggregate: "count" }]) {
      const html = drawSection({ ...w, options: { ...w.options, ...options } });
      expect(faults(html)).toEqual([]);
      expect(html).not.toContain("\u0000");
      expect(html).not.toContain("\u202e");
    }
  });

  test("the whole page", () => {
    const b = drawBoard({
      title: hostile,
      description: hostile,
      widgets: [widget("gauge", [], [], {}, { id: "x}body{display:none", title: hostile })],
    });
    expect(faults(b.body)).toEqual([]);
    expect(b.css).toBe("@media(min-width:640px){#w-x_body_display_none{grid-area:1/1/span 4/span 6}}");
    expect(b.title).toBe(hostile);
  });
});

describe("whatever the data, the drawing is sound", () => {
  const odd: Cell[] = [
    null,
    0,
    -0,
    1,
    -1,
    0.1,
    1e308,
    -1e308,
    1e-308,
    1e15 + 0.5,
    NaN,
    Infinity,
    true,
    false,
    "",
    "x",
    "12",
    "1e999",
    t0,
    8.64e15,
    9e15,
  ];
  const optionValues: unknown[] = [
    null,
    true,
    false,
    "up",
    "down",
    "a",
    "b",
    ["a"],
    ["a", "b"],
    ["zz"],
    0,
    2,
    6,
    1e9,
    -1,
    {},
    "sum",
    "count",
    "x".repeat(5000),
  ];
  const names = [
    "x",
    "y",
    "value",
    "columns",
    "label",
    "state",
    "detail",
    "aggregate",
    "trend",
    "better",
    "prefix",
    "unit",
    "decimals",
    "area",
    "stack",
    "zero",
    "legend",
    "horizontal",
    "limit",
    "newestFirst",
    "text",
  ];

  test.each(kinds)("%s", (kind) => {
    const roll = dice(kind.length * 7 + kind.charCodeAt(0));
    const pick = <T>(list: readonly T[], other: T): T => list[Math.floor(roll() * list.length)] ?? other;
    for (let i = 0; i < 400; i++) {
      const types = [pick(["number", "time", "text"], "text"), pick(["number", "time"], "number"), "number"];
      const rows = Array.from({ length: Math.floor(roll() * 12) }, () =>
        types.slice(0, 2 + Math.floor(roll() * 2)).map(() => pick(odd, null)),
      );
      const options = Object.fromEntries(
        Array.from({ length: Math.floor(roll() * 5) }, () => [pick(names, "x"), pick(optionValues, null)]),
      );
      const w = widget(
        kind,
        types.map((t, k) => `${"abc"[k] ?? ""}:${t}`),
        rows,
        options,
        {
          layout: { x: 0, y: 0, w: 1 + Math.floor(roll() * 12), h: 1 + Math.floor(roll() * 8) },
        },
      );
      const html = drawWidget(w, { wide: roll() < 0.3 });
      expect({ found: faults(html.replace(/x{9,}/g, "")), w: JSON.stringify(w) }).toEqual({
        found: [],
        w: JSON.stringify(w),
      });
      expect(textOf(html)).not.toContain("could not be drawn");
      expect(drawWidget(w)).toBe(drawWidget(w));
    }
  });
});

test("the check for sound markup finds what is planted", () => {
  for (const bad of [
    "<p>NaN</p>",
    '<p style="x">a</p>',
    "<p onclick=x>a</p>",
    "<script>a</script>",
    "<p><b>a</p></b>",
    "<p>",
    "a < b",
    '<a href="/x">a</a>',
  ]) {
    expect(faults(bad)).not.toEqual([]);
  }
});
